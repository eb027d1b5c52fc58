//===- Checkpoint.h - The checkpoint a module names -------------*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_UTILS_CHECKPOINT_H
#define SSMQ_DIALECT_SSM_UTILS_CHECKPOINT_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include <memory>

namespace mlir {
class ModuleOp;
}
namespace ssmq {
class WeightStore;
}

namespace mlir::ssm {

/// Opens the checkpoint at `path` or, when that is empty, the one that the module's attribute
/// `ssm.checkpoint` names. A module without external weights needs none and gets an empty store.
/// Fails with a diagnostic.
FailureOr<std::shared_ptr<const ::ssmq::WeightStore>> openCheckpoint(ModuleOp module,
                                                                     StringRef path = "");

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_UTILS_CHECKPOINT_H
