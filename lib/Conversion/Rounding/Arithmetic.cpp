//===- Arithmetic.cpp - What grids are computed with ----------------------===//

#include "Arithmetic.h"

using namespace mlir;
using namespace mlir::ssm;

/// The type of `like` with elements of another.
static Type withElement(Value like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    return vector.clone(element);
  return element;
}

static Value constant(ImplicitLocOpBuilder &b, Type type, TypedAttr value) {
  if (auto vector = dyn_cast<VectorType>(type))
    value = SplatElementsAttr::get(vector, Attribute(value));
  return arith::ConstantOp::create(b, type, value);
}

Value mlir::ssm::integerLike(ImplicitLocOpBuilder &b, Value like, uint32_t value) {
  return constant(b, like.getType(), b.getI32IntegerAttr(static_cast<int32_t>(value)));
}

Value mlir::ssm::constantLike(ImplicitLocOpBuilder &b, Value like, float value) {
  return constant(b, like.getType(), b.getF32FloatAttr(value));
}

Value mlir::ssm::toBits(ImplicitLocOpBuilder &b, Value number) {
  return arith::BitcastOp::create(b, withElement(number, b.getI32Type()), number);
}

Value mlir::ssm::fromBits(ImplicitLocOpBuilder &b, Value bits) {
  return arith::BitcastOp::create(b, withElement(bits, b.getF32Type()), bits);
}

Value mlir::ssm::maskBits(ImplicitLocOpBuilder &b, Value bits, uint32_t mask) {
  return arith::AndIOp::create(b, bits, integerLike(b, bits, mask));
}

Value mlir::ssm::roundUpToHalf(ImplicitLocOpBuilder &b, Value value) {
  Type half = withElement(value, b.getF16Type()), word = withElement(value, b.getI16Type());
  auto widen = [&](Value narrow) -> Value {
    return arith::ExtFOp::create(b, value.getType(), narrow);
  };
  Value nearest = arith::TruncFOp::create(b, half, value);
  Value isBelow = compare(b, arith::CmpFPredicate::OLT, widen(nearest), value);
  Value bits = arith::BitcastOp::create(b, word, nearest);
  Value carry = arith::ExtUIOp::create(b, word, isBelow);
  Value up = arith::AddIOp::create(b, bits, carry);
  return widen(arith::BitcastOp::create(b, half, up));
}

Value mlir::ssm::roundUpToBFloat(ImplicitLocOpBuilder &b, Value value) {
  Value bits = toBits(b, value);
  Value above = arith::AddIOp::create(b, bits, integerLike(b, bits, 0xffff));
  Value up = fromBits(b, maskBits(b, above, 0xffff0000));
  // The sum may have carried out of a NaN.
  return add(b, up, subtract(b, value, value));
}
