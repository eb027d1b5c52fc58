//===- Assign.cpp - Assignments of the C interface ------------------------===//

#include "Status.h"
#include "ssmq/Assign/Request.h"
#include "llvm/Support/FormatVariadic.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static void give(const llvm::json::Value &value, SsmqBytesCallback callback, void *userData) {
  std::string text = llvm::formatv("{0}", value).str();
  callback(text.data(), text.size(), userData);
}

SsmqStatus ssmqAssign(const char *request, const char *assignment, SsmqBytesCallback callback,
                      void *userData) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({request}))
      return error;
    Expected<AssignRequest> parsed = AssignRequest::parse(request);
    if (!parsed)
      return parsed.takeError();
    Expected<Assignment> result = assign(*parsed);
    if (!result)
      return result.takeError();
    if (assignment)
      if (Error error = result->write(assignment))
        return error;
    if (callback)
      give(result->toJSON(), callback, userData);
    return Error::success();
  });
}

SsmqStatus ssmqComputeFront(const char *request, size_t maxPoints, SsmqBytesCallback callback,
                            void *userData) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({request, reinterpret_cast<const void *>(callback)}))
      return error;
    Expected<AssignRequest> parsed = AssignRequest::parse(request);
    if (!parsed)
      return parsed.takeError();
    Expected<llvm::json::Value> front = computeFront(*parsed, maxPoints);
    if (!front)
      return front.takeError();
    give(*front, callback, userData);
    return Error::success();
  });
}
