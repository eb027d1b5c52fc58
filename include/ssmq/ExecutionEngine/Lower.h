//===- Lower.h - Runs a lowering pipeline -----------------------*- C++ -*-===//

#ifndef SSMQ_EXECUTIONENGINE_LOWER_H
#define SSMQ_EXECUTIONENGINE_LOWER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir {
class ModuleOp;
}

namespace ssmq {

/// Runs passes, spelled as for ssmq-opt, on a module, whose passes must be registered. What is left
/// of the module after a failure is of no use.
llvm::Error lower(mlir::ModuleOp module, llvm::StringRef pipeline);

} // namespace ssmq

#endif // SSMQ_EXECUTIONENGINE_LOWER_H
