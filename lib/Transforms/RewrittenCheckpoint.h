//===- RewrittenCheckpoint.h - Weights of a rewritten program ---*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_REWRITTENCHECKPOINT_H
#define SSMQ_LIB_TRANSFORMS_REWRITTENCHECKPOINT_H

#include "mlir/Support/LLVM.h"
#include "ssmq/Import/Safetensors.h"
#include "ssmq/Import/WeightStore.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir {
class ModuleOp;
}

namespace mlir::ssm {

/// Options that passes with a new checkpoint share.
struct CheckpointRewrite {
  /// The pass, for messages.
  llvm::StringRef name;
  /// The file to write; the checkpoint to read, where it is not the module's.
  llvm::StringRef output, checkpoint;
  /// 0: all cores.
  unsigned threads;
};

/// Changes a module and gives the weights that replace those of their names, or are new.
using ReplaceWeights = llvm::function_ref<FailureOr<std::vector<::ssmq::LazyTensor>>(
    const ::ssmq::WeightStore &, unsigned threads)>;

/// Rewrites the module and writes all its external weights to one safetensors file, which becomes
/// its checkpoint: what `replace` gives, the others as they are. Writes nothing when it gives none.
LogicalResult rewriteCheckpoint(ModuleOp module, const CheckpointRewrite &options,
                                ReplaceWeights replace);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_REWRITTENCHECKPOINT_H
