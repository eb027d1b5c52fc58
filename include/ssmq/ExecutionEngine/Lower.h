//===- Lower.h - Runs a lowering pipeline -----------------------*- C++ -*-===//

#ifndef SSMQ_EXECUTIONENGINE_LOWER_H
#define SSMQ_EXECUTIONENGINE_LOWER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir {
class ModuleOp;
}

namespace ssmq {

struct CompileOptions;
struct DeviceInfo;

/// The passes that lower a program of the ssm dialect for what `options` name. `more` are options
/// of the last of them, spelled as in a pipeline.
std::string getLowering(const CompileOptions &options, llvm::StringRef more = "");
/// Those for Xe GPUs: for this device, or for any when it is null. Emulated, dpas is there for
/// tests of its kernels: unless `more` asks for it, a device without it gets kernels without.
std::string getXeLowering(const DeviceInfo *device, llvm::StringRef more = "");

/// Runs passes, spelled as for ssmq-opt, on a module, whose passes must be registered. What is left
/// of the module after a failure is of no use.
llvm::Error lower(mlir::ModuleOp module, llvm::StringRef pipeline);

} // namespace ssmq

#endif // SSMQ_EXECUTIONENGINE_LOWER_H
