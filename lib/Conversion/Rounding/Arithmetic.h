//===- Arithmetic.h - What grids are computed with --------------*- C++ -*-===//
//
// Ops on f32, scalars or vectors, and the rounding of scales as lib/Formats/ScaleTypes.h has it.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_ROUNDING_ARITHMETIC_H
#define SSMQ_LIB_CONVERSION_ROUNDING_ARITHMETIC_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::ssm {

inline Value compare(ImplicitLocOpBuilder &b, arith::CmpFPredicate predicate, Value lhs,
                     Value rhs) {
  return arith::CmpFOp::create(b, predicate, lhs, rhs);
}
inline Value select(ImplicitLocOpBuilder &b, Value condition, Value then, Value otherwise) {
  return arith::SelectOp::create(b, condition, then, otherwise);
}
inline Value divide(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return arith::DivFOp::create(b, lhs, rhs);
}
inline Value multiply(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return arith::MulFOp::create(b, lhs, rhs);
}
inline Value add(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return arith::AddFOp::create(b, lhs, rhs);
}
inline Value subtract(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return arith::SubFOp::create(b, lhs, rhs);
}
inline Value negate(ImplicitLocOpBuilder &b, Value value) {
  return arith::NegFOp::create(b, value);
}

/// `value` in every lane of the type of `like`, of f32 or i32.
Value constantLike(ImplicitLocOpBuilder &b, Value like, float value);
Value integerLike(ImplicitLocOpBuilder &b, Value like, uint32_t value);
/// The bits of an f32 as an i32, and back.
Value toBits(ImplicitLocOpBuilder &b, Value number);
Value fromBits(ImplicitLocOpBuilder &b, Value bits);
/// Bits with those of a mask only.
Value maskBits(ImplicitLocOpBuilder &b, Value bits, uint32_t mask);

/// The smallest f16, or bf16, that is not below `value` >= 0; NaN stays NaN.
Value roundUpToHalf(ImplicitLocOpBuilder &b, Value value);
Value roundUpToBFloat(ImplicitLocOpBuilder &b, Value value);

/// 1 where a scale is 0, else the scale.
inline Value getDivisor(ImplicitLocOpBuilder &b, Value scale) {
  Value isZero = compare(b, arith::CmpFPredicate::OEQ, scale, constantLike(b, scale, 0));
  return select(b, isZero, constantLike(b, scale, 1), scale);
}

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_ROUNDING_ARITHMETIC_H
