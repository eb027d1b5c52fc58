//===- StoredState.cpp - States as they lie in memory ---------------------===//

#include "StoredState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "ssmq/Dialect/SSM/IR/StoredStates.h"

using namespace mlir;
using namespace mlir::ssm;

StoredStatePlaces::StoredStatePlaces(LaunchScope &scope, QuantizableOpInterface op, Value state,
                                     Value nextState, Value scales, Value nextScales)
    : k(scope.k), state(scope.getPlace(state)), next(scope.getOutput(nextState)),
      scales(scales ? scope.getPlace(scales) : nullptr),
      nextScales(scales ? scope.getOutput(nextScales) : nullptr),
      shape(cast<RankedTensorType>(state.getType()).getShape()), columns(shape.back()) {
  if (!scales)
    return;
  StoredState stored = *getStoredState(op);
  runColumns = stored.runColumns;
  runRows = stored.runRows;
}

Value StoredStatePlaces::getScaleRow(ArrayRef<Value> indices) const {
  Value row = indices.front();
  for (auto [size, i] : llvm::zip_equal(shape.slice(1, indices.size() - 1), indices.drop_front()))
    row = k.add(k.mul(row, size), i);
  return k.floorDiv(row, runRows);
}

static SmallVector<Value> append(ArrayRef<Value> indices, Value column) {
  SmallVector<Value> all(indices);
  all.push_back(column);
  return all;
}

Value StoredStatePlaces::load(ArrayRef<Value> indices, Value column) const {
  Value number = k.load(*state, append(indices, column));
  if (!scales)
    return number;
  return k.mulf(number, k.load(*scales, {getScaleRow(indices), k.floorDiv(column, runColumns)}));
}

void StoredStatePlaces::store(Value number, ArrayRef<Value> indices, Value column,
                              const IntegerGrid &grid) const {
  if (scales) {
    Value steps = IntegerGrids(k, *::ssmq::makeIntegerNumerics(8, true)).roundToSteps(number, grid);
    Value word = arith::FPToSIOp::create(k, k.getI32Type(), steps);
    number = arith::TruncIOp::create(k, k.getI8Type(), word);
  }
  k.store(number, *next, append(indices, column));
}

Value StoredStatePlaces::takeMost(Value most, Value number) const {
  Value bits = k.bitcast(number, k.getI32Type());
  Value magnitude = arith::AndIOp::create(k, bits, k.i32(0x7fffffff));
  return arith::MaxSIOp::create(k, most, magnitude);
}

IntegerGrid StoredStatePlaces::fit(Value mostBits) const {
  return IntegerGrids(k, *::ssmq::makeIntegerNumerics(8, true))
      .fitSymmetric(k.bitcast(mostBits, k.getF32Type()));
}

void StoredStatePlaces::storeScale(const IntegerGrid &grid, ArrayRef<Value> indices,
                                   Value run) const {
  if (nextScales)
    k.store(grid.scale, *nextScales, {getScaleRow(indices), run});
}
