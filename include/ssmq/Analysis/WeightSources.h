//===- WeightSources.h - What values depend on ------------------*- C++ -*-===//

#ifndef SSMQ_ANALYSIS_WEIGHTSOURCES_H
#define SSMQ_ANALYSIS_WEIGHTSOURCES_H

#include "mlir/IR/Value.h"

namespace mlir {
class ModuleOp;
}

namespace mlir::ssm {

/// The weights (loads of globals, dequantized codes and constants that are static tensors of
/// floats) that `value` depends on when it depends on nothing that a token or a state can change;
/// empty otherwise.
SmallVector<Operation *> findWeightSources(Value value);

/// The name of such a weight: a symbol, the key of a resource, or the name of the constant's
/// location; empty when it has none.
StringRef getWeightName(Operation *source);

/// The constants of a module that hold different floats and so may be weights, each resource and
/// each dense value once, in program order.
SmallVector<Operation *> findConstantWeights(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_WEIGHTSOURCES_H
