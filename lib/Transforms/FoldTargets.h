//===- FoldTargets.h - Where scales can be folded ---------------*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_FOLDTARGETS_H
#define SSMQ_LIB_TRANSFORMS_FOLDTARGETS_H

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"

namespace mlir {
class ModuleOp;
}

namespace mlir::ssm {

/// A value that linear layers alone read, and what can be divided so that the value is.
struct FoldTarget {
  Value input;
  /// The first layer that reads the input.
  Operation *firstReader = nullptr;
  /// The weights of the layers, each once.
  SmallVector<ml_program::GlobalOp> layers;
  /// A norm's weight or a linear layer's, whose rows from `firstRow` on give the input's columns.
  ml_program::GlobalOp front;
  /// Null where there is none.
  ml_program::GlobalOp frontBias;
  int64_t firstRow = 0;
};

/// The fold targets of @forward, in program order.
SmallVector<FoldTarget> findFoldTargets(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_FOLDTARGETS_H
