//===- Table.cpp - Sensitivity tables of the C interface ------------------===//

#include "Status.h"
#include "ssmq/Measure/SensitivityTable.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

SsmqStatus ssmqMergeTables(const char *const *tables, size_t numTables, const char *merged) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({reinterpret_cast<const void *>(tables), merged}))
      return error;
    if (numTables == 0)
      return capi::usageError("there is no table to merge");
    std::optional<SensitivityTable> result;
    for (llvm::StringRef path : llvm::ArrayRef(tables, numTables)) {
      Expected<SensitivityTable> table = SensitivityTable::read(path);
      if (!table)
        return table.takeError();
      if (!result)
        result = std::move(*table);
      else if (Error error = result->merge(*table))
        return makeError("{0} does not belong to {1}: {2}", path, llvm::StringRef(tables[0]),
                         llvm::toString(std::move(error)));
    }
    return result->write(merged);
  });
}
