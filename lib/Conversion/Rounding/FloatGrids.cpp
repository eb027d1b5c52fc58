//===- FloatGrids.cpp - Float formats in generated code -------------------===//

#include "ssmq/Conversion/Rounding/FloatGrids.h"

#include "Arithmetic.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::ssm;
using arith::CmpFPredicate;

static constexpr uint32_t kMagnitude = 0x7fffffff, kExponent = 0x7f800000;

std::optional<std::pair<FloatGrids::Kind, ::ssmq::SmallFloat>>
FloatGrids::getKind(const ::ssmq::Numerics &numerics) {
  using Result = std::optional<std::pair<Kind, ::ssmq::SmallFloat>>;
  return llvm::StringSwitch<Result>(numerics.getSpelling())
      .Case("f16", std::pair(Kind::Half, ::ssmq::kHalf))
      .Case("bf16", std::pair(Kind::BFloat, ::ssmq::SmallFloat{}))
      .Case("f8E4M3", std::pair(Kind::Scaled, ::ssmq::kE4M3))
      .Case("f8E5M2", std::pair(Kind::Scaled, ::ssmq::kE5M2))
      .Case("mxfp4", std::pair(Kind::Microscaled, ::ssmq::kE2M1))
      .Default(std::nullopt);
}

std::optional<FloatGrids> FloatGrids::of(ImplicitLocOpBuilder &b,
                                         const ::ssmq::Numerics &numerics) {
  auto known = getKind(numerics);
  if (!known)
    return std::nullopt;
  return FloatGrids(b, known->first, known->second);
}

/// As ::ssmq::roundToSmallFloat.
Value FloatGrids::toSmallFloat(Value x) {
  auto constant = [&](float value) { return constantLike(b, x, value); };
  Value bits = toBits(b, x), most = constant(type.most);
  Value magnitude = fromBits(b, maskBits(b, bits, kMagnitude));
  magnitude = select(b, compare(b, CmpFPredicate::OLT, most, magnitude), most, magnitude);
  Value binade = fromBits(b, maskBits(b, toBits(b, magnitude), kExponent));
  Value least = constant(type.leastNormal);
  binade = select(b, compare(b, CmpFPredicate::OLT, binade, least), least, binade);
  Value shift = multiply(b, binade, constant(type.shift));
  Value rounded = subtract(b, add(b, magnitude, shift), shift);
  Value sign = maskBits(b, bits, ~kMagnitude);
  return fromBits(b, arith::OrIOp::create(b, toBits(b, rounded), sign).getResult());
}

Value FloatGrids::fitScale(Value width) {
  auto constant = [&](float value) { return constantLike(b, width, value); };
  if (kind == Kind::Microscaled) {
    // Two octaves below the largest magnitude, 2^-127 at least.
    Value octave = fromBits(b, maskBits(b, toBits(b, width), kExponent));
    Value scale = multiply(b, octave, constant(0.25f)), least = constant(0x1p-127f);
    scale = select(b, compare(b, CmpFPredicate::OLT, scale, least), least, scale);
    Value isZero = compare(b, CmpFPredicate::OEQ, width, constant(0));
    return select(b, isZero, constant(0), scale);
  }
  Value most = constant(type.most);
  Value scale = roundUpToHalf(b, divide(b, width, most));
  // Where scales are coarse, the largest value may not reach the largest float.
  Value reached = toSmallFloat(divide(b, width, getDivisor(b, scale)));
  return roundUpToHalf(b, divide(b, multiply(b, reached, scale), most));
}

IntegerGrid FloatGrids::fit(Value width) {
  Value scale = fitScale(width);
  return {scale, getDivisor(b, scale), nullptr, nullptr, nullptr, nullptr};
}

Value FloatGrids::round(Value x, const IntegerGrid &grid) {
  switch (kind) {
  case Kind::Half: {
    Type half = b.getF16Type();
    if (auto vector = dyn_cast<VectorType>(x.getType()))
      half = vector.clone(half);
    Value narrow = arith::TruncFOp::create(b, half, x);
    return arith::ExtFOp::create(b, x.getType(), narrow);
  }
  case Kind::BFloat: {
    // In integers, since targets have instructions that flush subnormal numbers.
    Value bits = toBits(b, x);
    Value high = arith::ShRUIOp::create(b, bits, integerLike(b, bits, 16));
    Value odd = maskBits(b, high, 1);
    Value bias = arith::AddIOp::create(b, odd, integerLike(b, bits, 0x7fff));
    Value biased = arith::AddIOp::create(b, bits, bias);
    return fromBits(b, maskBits(b, biased, 0xffff0000));
  }
  case Kind::Scaled:
  case Kind::Microscaled: break;
  }
  return multiply(b, toSmallFloat(divide(b, x, grid.divisor)), grid.scale);
}
