//===- Bytecode.cpp - The dialect in bytecode -----------------------------===//

#include "Bytecode.h"

#include "ssmq/Dialect/SSM/IR/SSMDialect.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// The version that is written, and the first one that is still read. Files of before 1 have none.
constexpr uint64_t kVersion = 1, kOldestVersion = 1;

struct Version : DialectVersion {};

class BytecodeInterface : public BytecodeDialectInterface {
public:
  explicit BytecodeInterface(Dialect *dialect) : BytecodeDialectInterface(dialect) {}

  void writeVersion(DialectBytecodeWriter &writer) const override { writer.writeVarInt(kVersion); }

  std::unique_ptr<DialectVersion> readVersion(DialectBytecodeReader &reader) const override {
    uint64_t version;
    if (failed(reader.readVarInt(version)))
      return nullptr;
    if (version > kVersion) {
      reader.emitError("the program is of version ")
          << version << " of the ssm dialect and this ssmq reads versions up to " << kVersion
          << "; use a newer ssmq";
      return nullptr;
    }
    if (version < kOldestVersion) {
      reader.emitError("the program is of version ")
          << version << " of the ssm dialect and this ssmq reads versions from " << kOldestVersion
          << "; quantize or import the model again";
      return nullptr;
    }
    return std::make_unique<Version>();
  }
};

} // namespace

void mlir::ssm::addBytecodeInterface(SSMDialect &dialect) {
  dialect.addInterfaces<BytecodeInterface>();
}

LogicalResult mlir::ssm::checkHasVersion(DialectBytecodeReader &reader) {
  if (succeeded(reader.getDialectVersion<SSMDialect>()))
    return success();
  return reader.emitError("the program is of an ssmq that wrote no version of the ssm dialect and "
                          "this one reads versions from ")
         << kOldestVersion << "; quantize or import the model again";
}
