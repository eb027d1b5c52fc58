//===- IntegerRounding.cpp - Rounding to integer formats ------------------===//

#include "IntegerRounding.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::ssm;
using arith::CmpFPredicate;

static Value compare(KernelBuilder &k, CmpFPredicate predicate, Value lhs, Value rhs) {
  return arith::CmpFOp::create(k, predicate, lhs, rhs);
}
static Value select(KernelBuilder &k, Value condition, Value then, Value otherwise) {
  return arith::SelectOp::create(k, condition, then, otherwise);
}
static Value divide(KernelBuilder &k, Value lhs, Value rhs) {
  return arith::DivFOp::create(k, lhs, rhs);
}
static Value multiply(KernelBuilder &k, Value lhs, Value rhs) {
  return arith::MulFOp::create(k, lhs, rhs);
}
static Value subtract(KernelBuilder &k, Value lhs, Value rhs) {
  return arith::SubFOp::create(k, lhs, rhs);
}
static Value negate(KernelBuilder &k, Value value) { return arith::NegFOp::create(k, value); }
static Value toNearest(KernelBuilder &k, Value value) {
  return math::RoundEvenOp::create(k, value);
}

static int64_t getLanes(Value vector) { return cast<VectorType>(vector.getType()).getDimSize(0); }

/// The integers whose order is that of the floats: negative ones have all bits but the sign turned.
static Value toOrdered(KernelBuilder &k, Value bits) {
  auto type = cast<VectorType>(bits.getType());
  Value sign = arith::ShRSIOp::create(k, bits, k.integers(type, 31));
  Value turned = arith::AndIOp::create(k, sign, k.integers(type, 0x7fffffff));
  return arith::XOrIOp::create(k, bits, turned);
}

static Value fromOrdered(KernelBuilder &k, Value ordered) {
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(k, k.getI32IntegerAttr(value));
  };
  Value sign = arith::ShRSIOp::create(k, ordered, constant(31));
  Value turned = arith::AndIOp::create(k, sign, constant(0x7fffffff));
  return arith::BitcastOp::create(k, k.getF32Type(),
                                  arith::XOrIOp::create(k, ordered, turned).getResult());
}

IntegerRounding::Values IntegerRounding::startRange(int64_t lanes) {
  Value zero = k.integers(VectorType::get({lanes}, k.getI32Type()), 0);
  return isSymmetric ? Values{zero} : Values{zero, zero, zero};
}

// Ranges are found among the bits as integers, where NaN is largest and no comparison is unordered.
IntegerRounding::Values IntegerRounding::addToRange(ValueRange range, Value x) {
  x = k.pad(x, getLanes(range.front()));
  auto type = cast<VectorType>(range.front().getType());
  Value bits = arith::BitcastOp::create(k, type, x);
  Value magnitude = arith::AndIOp::create(k, bits, k.integers(type, 0x7fffffff));
  Values next = {arith::MaxSIOp::create(k, range[0], magnitude)};
  if (isSymmetric)
    return next;
  Value ordered = toOrdered(k, bits);
  next.push_back(arith::MinSIOp::create(k, range[1], ordered));
  next.push_back(arith::MaxSIOp::create(k, range[2], ordered));
  return next;
}

IntegerRounding::Grid IntegerRounding::fit(ValueRange range) {
  auto reduce = [&](vector::CombiningKind kind, Value vector) -> Value {
    return vector::ReductionOp::create(k, kind, vector);
  };
  Value magnitude =
      arith::BitcastOp::create(k, k.getF32Type(), reduce(vector::CombiningKind::MAXSI, range[0]));
  if (isSymmetric)
    return fitSymmetric(magnitude);
  Grid grid = fitAsymmetric(fromOrdered(k, reduce(vector::CombiningKind::MINSI, range[1])),
                            fromOrdered(k, reduce(vector::CombiningKind::MAXSI, range[2])));
  // Infinite or NaN values must not vanish in a range that their order found without them.
  Value zeroOrNaN = subtract(k, magnitude, magnitude);
  grid.scale = arith::AddFOp::create(k, grid.scale, zeroOrNaN);
  return grid;
}

IntegerRounding::Grid IntegerRounding::fitStatic(const ::ssmq::RunGrid &grid) {
  Grid values;
  bool isZero = grid.scale == 0;
  values.scale = k.f32(grid.scale);
  values.divisor = k.f32(isZero ? 1 : grid.scale);
  values.lowCode = k.f32(isZero ? 0 : grid.lowCode);
  values.highCode = k.f32(isZero ? 0 : grid.highCode);
  if (!isSymmetric) {
    values.lowValue = k.f32(static_cast<float>(grid.lowValue));
    values.highValue = k.f32(static_cast<float>(grid.highValue));
  }
  return values;
}

static constexpr int64_t kPartsOfGrid = 6;

Value IntegerRounding::makeTable(ArrayRef<::ssmq::RunGrid> grids) {
  SmallVector<float> numbers;
  for (int64_t part = 0; part < kPartsOfGrid; ++part)
    for (const ::ssmq::RunGrid &grid : grids) {
      bool isZero = grid.scale == 0;
      const float parts[kPartsOfGrid] = {grid.scale,
                                         isZero ? 1 : grid.scale,
                                         isZero ? 0 : grid.lowCode,
                                         isZero ? 0 : grid.highCode,
                                         static_cast<float>(grid.lowValue),
                                         static_cast<float>(grid.highValue)};
      numbers.push_back(parts[part]);
    }
  SmallVector<int64_t> shape = {kPartsOfGrid, static_cast<int64_t>(grids.size())};
  auto type = MemRefType::get(shape, k.getF32Type());
  auto elements = DenseElementsAttr::get(RankedTensorType::get(shape, k.getF32Type()),
                                         ArrayRef<float>(numbers));
  auto module = k.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  std::string name;
  for (unsigned number = 0; name.empty() || module.lookupSymbol(name); ++number)
    name = "ssmq_grids_" + std::to_string(number);
  {
    OpBuilder::InsertionGuard guard(k);
    k.setInsertionPointToStart(module.getBody());
    memref::GlobalOp::create(k, name, k.getStringAttr("private"), type, elements,
                             /*constant=*/true, /*alignment=*/nullptr);
  }
  return memref::GetGlobalOp::create(k, type, name);
}

IntegerRounding::Grid IntegerRounding::loadGrid(Value table, Value run, int64_t lanes) {
  auto part = [&](int64_t number) {
    return lanes == 0 ? k.loadScalar(table, {k.index(number), run})
                      : k.load(table, {k.index(number), run}, lanes);
  };
  Grid grid = {part(0), part(1), part(2), part(3), nullptr, nullptr};
  if (!isSymmetric) {
    grid.lowValue = part(4);
    grid.highValue = part(5);
  }
  return grid;
}

/// The smallest f16 that is not below `scale`.
Value IntegerRounding::roundScaleUp(Value scale) {
  Type half = k.getF16Type(), word = k.getI16Type();
  Value nearest = arith::TruncFOp::create(k, half, scale);
  Value isBelow = compare(k, CmpFPredicate::OLT, k.widen(nearest), scale);
  Value bits = arith::BitcastOp::create(k, word, nearest);
  Value carry = arith::ExtUIOp::create(k, word, isBelow);
  Value up = arith::AddIOp::create(k, bits, carry);
  return k.widen(arith::BitcastOp::create(k, half, up));
}

IntegerRounding::Grid IntegerRounding::fitSymmetric(Value width) {
  Value zero = k.f32(0), steps = k.f32(static_cast<float>((1 << (bits - 1)) - 1));
  Value scale = roundScaleUp(divide(k, width, steps));
  Value one = k.f32(1);
  auto nonZero = [&](Value scale) {
    return select(k, compare(k, CmpFPredicate::OEQ, scale, zero), one, scale);
  };
  // Near the least f16, the largest value may not reach the largest code.
  Value isCoarse = compare(k, CmpFPredicate::OLT, scale, k.f32(0x1p-15f));
  Value reached = toNearest(k, divide(k, width, nonZero(scale)));
  Value finer = roundScaleUp(divide(k, multiply(k, reached, scale), steps));
  scale = select(k, isCoarse, finer, scale);
  Value divisor = nonZero(scale);
  return {scale, divisor, negate(k, steps), steps, nullptr, nullptr};
}

IntegerRounding::Grid IntegerRounding::fitAsymmetric(Value low, Value high) {
  Value zero = k.f32(0), one = k.f32(1), steps = k.f32(static_cast<float>((1 << bits) - 1));
  Grid grid;
  grid.lowValue = low;
  grid.highValue = high;
  grid.scale = roundScaleUp(divide(k, subtract(k, high, low), steps));
  auto isZero = [&] { return compare(k, CmpFPredicate::OEQ, grid.scale, zero); };
  grid.divisor = select(k, isZero(), one, grid.scale);
  grid.lowCode = negate(k, toNearest(k, divide(k, negate(k, low), grid.divisor)));
  Value nearest = toNearest(k, divide(k, high, grid.divisor));
  Value most = arith::AddFOp::create(k, steps, grid.lowCode);
  grid.highCode = select(k, compare(k, CmpFPredicate::OLT, most, nearest), most, nearest);
  // A grid of one code has scale 0.
  Value isOne = compare(k, CmpFPredicate::OEQ, grid.highCode, grid.lowCode);
  grid.scale = select(k, isOne, zero, grid.scale);
  std::tie(grid.lowCode, grid.highCode) = fixEnds(grid);
  Value none = isZero();
  grid.divisor = select(k, none, one, grid.scale);
  grid.lowCode = select(k, none, zero, grid.lowCode);
  grid.highCode = select(k, none, zero, grid.highCode);
  return grid;
}

/// Moves an end outwards while the ends ask for a finer scale, as IntegerNumerics::fixEnds.
std::pair<Value, Value> IntegerRounding::fixEnds(const Grid &grid) {
  Type f32 = k.getF32Type(), f64 = k.getF64Type();
  Value steps = k.f32(static_cast<float>((1 << bits) - 1)), one = k.f32(1);
  auto widen = [&](Value value) -> Value { return arith::ExtFOp::create(k, f64, value); };
  auto fill = [&](OpBuilder &, Location, ValueRange) {};
  auto loop = scf::WhileOp::create(k, TypeRange{f32, f32}, ValueRange{grid.lowCode, grid.highCode},
                                   fill, fill);
  OpBuilder::InsertionGuard guard(k);
  {
    Block *before = loop.getBeforeBody();
    k.setInsertionPointToEnd(before);
    Value low = before->getArgument(0), high = before->getArgument(1);
    Value own = roundScaleUp(divide(k, multiply(k, subtract(k, high, low), grid.scale), steps));
    scf::ConditionOp::create(k, compare(k, CmpFPredicate::OLT, own, grid.scale),
                             ValueRange{low, high});
  }
  Block *after = loop.getAfterBody();
  k.setInsertionPointToEnd(after);
  Value low = after->getArgument(0), high = after->getArgument(1);
  Value scale = widen(grid.divisor);
  Value lostLow = subtract(k, widen(low), divide(k, widen(grid.lowValue), scale));
  Value lostHigh = subtract(k, divide(k, widen(grid.highValue), scale), widen(high));
  Value movesHigh = compare(k, CmpFPredicate::OGE, lostHigh, lostLow);
  Value higher = arith::AddFOp::create(k, high, one);
  scf::YieldOp::create(k, ValueRange{select(k, movesHigh, low, subtract(k, low, one)),
                                     select(k, movesHigh, higher, high)});
  return {loop.getResult(0), loop.getResult(1)};
}

Value IntegerRounding::roundToSteps(Value x, const Grid &grid) {
  int64_t lanes = getLanes(x);
  auto spread = [&](Value value) {
    return isa<VectorType>(value.getType()) ? value : k.splat(value, lanes);
  };
  Value low = spread(grid.lowCode), high = spread(grid.highCode);
  Value steps = toNearest(k, divide(k, x, spread(grid.divisor)));
  // Comparisons in this order bring a NaN to an end, so that codes are in their range.
  steps = select(k, compare(k, CmpFPredicate::OLT, steps, high), steps, high);
  steps = select(k, compare(k, CmpFPredicate::OGT, steps, low), steps, low);
  if (!isSymmetric) {
    Value isHigh = compare(k, CmpFPredicate::OGE, x, spread(grid.highValue));
    steps = select(k, isHigh, high, steps);
    Value isLow = compare(k, CmpFPredicate::OLE, x, spread(grid.lowValue));
    steps = select(k, isLow, low, steps);
  }
  // Adding zero turns -0 into 0, as integers have it.
  return arith::AddFOp::create(k, steps, k.zeros(lanes));
}

Value IntegerRounding::keepNonFinite(Value x, Value rounded) {
  return arith::AddFOp::create(k, rounded, subtract(k, x, x));
}
