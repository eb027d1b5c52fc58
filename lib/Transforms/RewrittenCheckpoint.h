//===- RewrittenCheckpoint.h - Weights of a rewritten program ---*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_REWRITTENCHECKPOINT_H
#define SSMQ_LIB_TRANSFORMS_REWRITTENCHECKPOINT_H

#include "ssmq/Import/Safetensors.h"
#include "ssmq/Import/WeightStore.h"

namespace mlir {
class ModuleOp;
}

namespace mlir::ssm {

/// Writes all external weights of the module to one safetensors file: `replaced` in place of those
/// of their names, the others as `store` has them, whose metadata is kept. Then the module's
/// checkpoint is that file.
llvm::Error rewriteCheckpoint(ModuleOp module, const ::ssmq::WeightStore &store,
                              llvm::ArrayRef<::ssmq::LazyTensor> replaced, llvm::StringRef path);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_REWRITTENCHECKPOINT_H
