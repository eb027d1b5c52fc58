//===- WeightValue.h - Host values of weights -------------------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_WEIGHTVALUE_H
#define SSMQ_REFERENCE_WEIGHTVALUE_H

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// The value of the global that `load` reads, checked against the type in the IR. Its bytes
/// are shared: floats keep their type, codes are packed rows of i8.
FailureOr<::ssmq::Tensor> getWeightValue(ml_program::GlobalLoadConstOp load,
                                         const WeightLookup &weights);

/// The f32 weight of an op whose weight is quantized, from its operands; null when one of them
/// that the weight needs is null.
::ssmq::Tensor dequantizeWeight(Operation *op, ArrayRef<::ssmq::Tensor> operands);

/// The weight that an op reads by this operand, in f32 and in the shape that the IR states: a float
/// weight, codes that the op takes itself, or what ssm.dequantize makes of codes. Fails with a
/// diagnostic when it is none of these, or when the checkpoint holds something else.
FailureOr<::ssmq::Tensor> readWeight(OpOperand &use, const WeightLookup &weights,
                                     unsigned threads = 1);

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_WEIGHTVALUE_H
