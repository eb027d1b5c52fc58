//===- RunRounding.cpp - Rounding of runs that share a scale --------------===//

#include "RunRounding.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

/// The integers whose order is that of the floats, and back: negative ones have all bits but the
/// sign turned.
static Value turn(XeBuilder &k, Value bits) {
  Value sign = arith::ShRSIOp::create(k, bits, k.i32(31));
  Value turned = arith::AndIOp::create(k, sign, k.i32(0x7fffffff));
  return arith::XOrIOp::create(k, bits, turned);
}
static Value larger(XeBuilder &k, Value a, Value b) { return arith::MaxSIOp::create(k, a, b); }
static Value smaller(XeBuilder &k, Value a, Value b) { return arith::MinSIOp::create(k, a, b); }

/// The largest magnitude; in asymmetric formats the ordered bits of the ends as well.
Values RunRounding::startRange() {
  return isSymmetric ? Values{k.i32(0)} : Values{k.i32(0), k.i32(0), k.i32(0)};
}

Values RunRounding::addToRange(ValueRange range, Value x) {
  Value bits = k.bitcast(x, k.getI32Type());
  Values next = {larger(k, range[0], arith::AndIOp::create(k, bits, k.i32(0x7fffffff)))};
  if (isSymmetric)
    return next;
  Value ordered = turn(k, bits);
  next.push_back(smaller(k, range[1], ordered));
  next.push_back(larger(k, range[2], ordered));
  return next;
}

Values RunRounding::merge(ValueRange range, function_ref<Value(Value, XeBuilder::Combine)> reduce) {
  Values result;
  for (auto [part, value] : llvm::enumerate(range))
    result.push_back(reduce(value, [&, part = part](Value a, Value b) {
      return part == 1 ? smaller(k, a, b) : larger(k, a, b);
    }));
  return result;
}

Values RunRounding::mergeSubgroup(ValueRange range) {
  return merge(range, [&](Value value, XeBuilder::Combine combine) {
    return k.reduceSubgroup(value, combine);
  });
}

Values RunRounding::mergeGroup(ValueRange range) {
  return merge(range, [&](Value value, XeBuilder::Combine combine) {
    return k.reduceGroup(value, combine);
  });
}

IntegerGrid RunRounding::fit(ValueRange range) {
  Value magnitude = k.bitcast(range[0], k.getF32Type());
  if (isSymmetric)
    return grids.fitSymmetric(magnitude);
  auto toFloat = [&](Value ordered) { return k.bitcast(turn(k, ordered), k.getF32Type()); };
  IntegerGrid grid = grids.fitAsymmetric(toFloat(range[1]), toFloat(range[2]));
  // Infinite or NaN values must not vanish in a range that their order found without them.
  grid.scale = k.addf(grid.scale, k.subf(magnitude, magnitude));
  return grid;
}

Place RunRounding::makeTable(ArrayRef<::ssmq::RunGrid> known) {
  SmallVector<float> numbers;
  for (const ::ssmq::RunGrid &grid : known)
    llvm::append_range(numbers, IntegerGrids::getParts(grid));
  return k.constants(numbers);
}

IntegerGrid RunRounding::loadGrid(const Place &table, Value run) {
  auto part = [&](int64_t number) {
    return k.load(table, k.add(k.mul(run, IntegerGrids::kParts), number));
  };
  IntegerGrid grid = {part(0), part(1), part(2), part(3), nullptr, nullptr};
  if (!isSymmetric) {
    grid.lowValue = part(4);
    grid.highValue = part(5);
  }
  return grid;
}
