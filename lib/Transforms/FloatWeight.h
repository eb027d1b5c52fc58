//===- FloatWeight.h - Quantized ops with float weights again ---*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_FLOATWEIGHT_H
#define SSMQ_LIB_TRANSFORMS_FLOATWEIGHT_H

#include "mlir/IR/Value.h"

namespace mlir {
class Operation;
}

namespace mlir::ssm {

/// Gives an op that holds its weight in codes a float one, without scales. Fails with a diagnostic
/// at an op of another dialect.
LogicalResult setFloatWeight(Operation *op, Value weight);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_FLOATWEIGHT_H
