//===- WeightSources.h - What values depend on ------------------*- C++ -*-===//

#ifndef SSMQ_ANALYSIS_WEIGHTSOURCES_H
#define SSMQ_ANALYSIS_WEIGHTSOURCES_H

#include "mlir/IR/Value.h"

namespace mlir::ssm {

/// The weights (loads of globals and constants that are static tensors of floats) that `value`
/// depends on when it depends on nothing that a token or a state can change; empty otherwise.
SmallVector<Operation *> findWeightSources(Value value);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_WEIGHTSOURCES_H
