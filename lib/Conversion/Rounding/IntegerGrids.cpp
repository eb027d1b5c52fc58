//===- IntegerGrids.cpp - Grids of integer formats in generated code ------===//

#include "ssmq/Conversion/Rounding/IntegerGrids.h"

#include "Arithmetic.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ssm;
using arith::CmpFPredicate;

static Value toNearest(ImplicitLocOpBuilder &b, Value value) {
  return math::RoundEvenOp::create(b, value);
}

Value IntegerGrids::constant(float value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
}

std::array<float, IntegerGrids::kParts> IntegerGrids::getParts(const ::ssmq::RunGrid &grid) {
  bool isZero = grid.scale == 0;
  return {grid.scale,
          isZero ? 1 : grid.scale,
          isZero ? 0 : grid.lowCode,
          isZero ? 0 : grid.highCode,
          static_cast<float>(grid.lowValue),
          static_cast<float>(grid.highValue)};
}

IntegerGrid IntegerGrids::fitStatic(const ::ssmq::RunGrid &grid) {
  std::array<float, kParts> parts = getParts(grid);
  IntegerGrid values = {constant(parts[0]),
                        constant(parts[1]),
                        constant(parts[2]),
                        constant(parts[3]),
                        nullptr,
                        nullptr};
  if (!isSymmetric) {
    values.lowValue = constant(parts[4]);
    values.highValue = constant(parts[5]);
  }
  return values;
}

Value IntegerGrids::roundScaleUp(Value scale) {
  return bits > 8 ? roundUpToBFloat(b, scale) : roundUpToHalf(b, scale);
}

IntegerGrid IntegerGrids::fitSymmetric(Value width) {
  Value steps = constant(static_cast<float>((1 << (bits - 1)) - 1));
  Value scale = roundScaleUp(divide(b, width, steps));
  // Where scales are coarse, the largest value may not reach the largest code: in bf16, and near
  // the least f16.
  Value reached = toNearest(b, divide(b, width, getDivisor(b, scale)));
  Value finer = roundScaleUp(divide(b, multiply(b, reached, scale), steps));
  if (bits <= 8) {
    Value isCoarse = compare(b, CmpFPredicate::OLT, scale, constant(0x1p-15f));
    finer = select(b, isCoarse, finer, scale);
  }
  return {finer, getDivisor(b, finer), negate(b, steps), steps, nullptr, nullptr};
}

IntegerGrid IntegerGrids::fitAsymmetric(Value low, Value high) {
  Value zero = constant(0), one = constant(1),
        steps = constant(static_cast<float>((1 << bits) - 1));
  IntegerGrid grid;
  grid.lowValue = low;
  grid.highValue = high;
  grid.scale = roundScaleUp(divide(b, subtract(b, high, low), steps));
  grid.divisor = getDivisor(b, grid.scale);
  grid.lowCode = negate(b, toNearest(b, divide(b, negate(b, low), grid.divisor)));
  Value nearest = toNearest(b, divide(b, high, grid.divisor));
  Value most = add(b, steps, grid.lowCode);
  grid.highCode = select(b, compare(b, CmpFPredicate::OLT, most, nearest), most, nearest);
  // Not of a range that is too large for a scale, whose one code would hide it.
  Value zeroOrNaN = subtract(b, grid.scale, grid.scale);
  // A grid of one code has scale 0.
  Value isOne = compare(b, CmpFPredicate::OEQ, grid.highCode, grid.lowCode);
  grid.scale = select(b, isOne, zero, grid.scale);
  std::tie(grid.lowCode, grid.highCode) = fixEnds(grid);
  Value none = compare(b, CmpFPredicate::OEQ, grid.scale, zero);
  grid.divisor = select(b, none, one, grid.scale);
  grid.lowCode = select(b, none, zero, grid.lowCode);
  grid.highCode = select(b, none, zero, grid.highCode);
  grid.scale = add(b, grid.scale, zeroOrNaN);
  return grid;
}

/// Moves an end outwards while the ends ask for a finer scale, as IntegerNumerics::fixEnds.
std::pair<Value, Value> IntegerGrids::fixEnds(const IntegerGrid &grid) {
  Type f32 = b.getF32Type(), f64 = b.getF64Type();
  Value steps = constant(static_cast<float>((1 << bits) - 1)), one = constant(1);
  auto widen = [&](Value value) -> Value { return arith::ExtFOp::create(b, f64, value); };
  auto fill = [&](OpBuilder &, Location, ValueRange) {};
  auto loop = scf::WhileOp::create(b, TypeRange{f32, f32}, ValueRange{grid.lowCode, grid.highCode},
                                   fill, fill);
  OpBuilder::InsertionGuard guard(b);
  {
    Block *before = loop.getBeforeBody();
    b.setInsertionPointToEnd(before);
    Value low = before->getArgument(0), high = before->getArgument(1);
    Value own = roundScaleUp(divide(b, multiply(b, subtract(b, high, low), grid.scale), steps));
    scf::ConditionOp::create(b, compare(b, CmpFPredicate::OLT, own, grid.scale),
                             ValueRange{low, high});
  }
  Block *after = loop.getAfterBody();
  b.setInsertionPointToEnd(after);
  Value low = after->getArgument(0), high = after->getArgument(1);
  Value scale = widen(grid.divisor);
  Value lostLow = subtract(b, widen(low), divide(b, widen(grid.lowValue), scale));
  Value lostHigh = subtract(b, divide(b, widen(grid.highValue), scale), widen(high));
  Value movesHigh = compare(b, CmpFPredicate::OGE, lostHigh, lostLow);
  Value higher = add(b, high, one);
  scf::YieldOp::create(b, ValueRange{select(b, movesHigh, low, subtract(b, low, one)),
                                     select(b, movesHigh, higher, high)});
  return {loop.getResult(0), loop.getResult(1)};
}

Value IntegerGrids::roundToSteps(Value x, const IntegerGrid &grid) {
  Value low = grid.lowCode, high = grid.highCode;
  Value steps = toNearest(b, divide(b, x, grid.divisor));
  // Comparisons in this order bring a NaN to an end, so that codes are in their range.
  steps = select(b, compare(b, CmpFPredicate::OLT, steps, high), steps, high);
  steps = select(b, compare(b, CmpFPredicate::OGT, steps, low), steps, low);
  if (!isSymmetric) {
    Value isHigh = compare(b, CmpFPredicate::OGE, x, grid.highValue);
    steps = select(b, isHigh, high, steps);
    Value isLow = compare(b, CmpFPredicate::OLE, x, grid.lowValue);
    steps = select(b, isLow, low, steps);
  }
  // Adding zero turns -0 into 0, as integers have it.
  return add(b, steps, constantLike(b, x, 0));
}

Value IntegerGrids::keepNonFinite(Value x, Value rounded) {
  return add(b, rounded, subtract(b, x, x));
}
