//===- WeightOps.h - What ops with a quantizable weight share ---*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_IR_WEIGHTOPS_H
#define SSMQ_DIALECT_SSM_IR_WEIGHTOPS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace mlir::ssm {

/// Gives `op` a quantized weight in place of the one it has.
template <typename OpTy>
void assignQuantizedWeight(OpTy op, Value codes, Value scales, Value zeroPoints,
                           int64_t groupSize) {
  op.getWeightMutable().assign(codes);
  op.getScalesMutable().assign(scales);
  if (zeroPoints)
    op.getZeroPointsMutable().assign(zeroPoints);
  else
    op.getZeroPointsMutable().clear();
  op.setGroupSize(groupSize);
}

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_IR_WEIGHTOPS_H
