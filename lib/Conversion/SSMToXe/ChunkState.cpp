//===- ChunkState.cpp - The state of a head while chunks pass -------------===//

#include "ChunkState.h"

#include "MatrixBlocks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

static constexpr int64_t kRows = MatrixBlocks::kRows;

ChunkState::ChunkState(const StoredStatePlaces &places, Value head, Value firstChannel,
                       int64_t tiles)
    : places(places), k(places.k), head(head), firstChannel(firstChannel), tiles(tiles),
      blocks(places.getColumns() / kBlock) {
  int64_t count = tiles * blocks;
  for (int64_t first = 0; first < count; first += XeBuilder::kSubgroups) {
    Value number = k.add(k.subgroup, first), isOwn = k.isLess(number, k.index(count));
    if (first + XeBuilder::kSubgroups > count)
      number = k.min(number, k.index(count - 1));
    units.push_back({k.floorDiv(number, tiles), k.rem(number, tiles), isOwn});
  }
}

/// The row of the state that the lane has of a unit.
SmallVector<Value> ChunkState::getRow(const Unit &unit) {
  Value channel = k.add(k.add(firstChannel, k.mul(unit.tile, XeBuilder::kLanes)), k.lane);
  return {head, channel};
}

Values ChunkState::load() {
  auto type = VectorType::get({kRows}, k.getF32Type());
  Values state;
  for (const Unit &unit : units)
    for (int64_t sum = 0; sum < kSumsOfBlock; ++sum) {
      Values numbers;
      for (int64_t i = 0; i < kRows; ++i) {
        Value column = k.add(k.mul(unit.block, kBlock), sum * kRows + i);
        numbers.push_back(places.load(getRow(unit), column));
      }
      state.push_back(vector::FromElementsOp::create(k, type, numbers));
    }
  return state;
}

Value ChunkState::takeMostOfUnit(ValueRange state, size_t unit, Value most) {
  for (Value numbers : state.slice(unit * kSumsOfBlock, kSumsOfBlock))
    most = ssm::takeMost(k, most, numbers);
  return most;
}

Value ChunkState::takeMost(ValueRange state) {
  Value most = k.i32(0);
  for (size_t unit = 0; unit < units.size(); ++unit)
    most = takeMostOfUnit(state, unit, most);
  return most;
}

void ChunkState::round(ValueRange state, Value factor, const HalfBlocks &to) {
  for (auto [i, unit] : llvm::enumerate(units))
    for (int64_t sum = 0; sum < kSumsOfBlock; ++sum)
      to.store(roundToHalves(k, state[i * kSumsOfBlock + sum], factor),
               {unit.block, unit.tile, k.lane, k.index(sum * kRows)});
}

void ChunkState::storeUnit(ValueRange state, size_t number, const IntegerGrid &grid) {
  const Unit &unit = units[number];
  k.ifThen(unit.isOwn, [&] {
    for (int64_t sum = 0; sum < kSumsOfBlock; ++sum)
      for (int64_t i = 0; i < kRows; ++i) {
        Value column = k.add(k.mul(unit.block, kBlock), sum * kRows + i);
        places.store(vector::ExtractOp::create(k, state[number * kSumsOfBlock + sum], i),
                     getRow(unit), column, grid);
      }
  });
}

/// One scale for all that the work-group has.
void ChunkState::storeHead(ValueRange state) {
  Value most = k.reduceGroup(
      takeMost(state), [&](Value a, Value b) -> Value { return arith::MaxSIOp::create(k, a, b); });
  IntegerGrid grid = places.fit(most);
  for (size_t unit = 0; unit < units.size(); ++unit)
    storeUnit(state, unit, grid);
  Value zero = k.index(0);
  k.ifThen(k.isEqual(k.item, zero), [&] { places.storeScale(grid, {head, zero}, zero); });
}

/// A scale for each row or run of its blocks, which several sub-groups have.
void ChunkState::storeRuns(ValueRange state) {
  Place mosts = k.local(k.getI32Type(), {blocks, tiles, XeBuilder::kLanes});
  for (auto [i, unit] : llvm::enumerate(units))
    k.store(takeMostOfUnit(state, i, k.i32(0)), mosts, {unit.block, unit.tile, k.lane});
  k.barrier();
  int64_t blocksOfRun = std::min(llvm::divideCeilSigned(places.getRunColumns(), kBlock), blocks);
  for (size_t i = 0; i < units.size(); ++i) {
    const Unit &unit = units[i];
    Value run = k.floorDiv(unit.block, blocksOfRun), first = k.mul(run, blocksOfRun);
    Value end = k.min(k.add(first, blocksOfRun), k.index(blocks));
    Value most = k.loop(first, end, k.index(1), k.i32(0), [&](Value block, ValueRange before) {
      Value other = k.load(mosts, {block, unit.tile, k.lane});
      return Values{arith::MaxSIOp::create(k, before[0], other)};
    })[0];
    IntegerGrid grid = places.fit(most);
    storeUnit(state, i, grid);
    k.ifThen(k.both(unit.isOwn, k.isEqual(unit.block, first)),
             [&] { places.storeScale(grid, getRow(unit), run); });
  }
}

void ChunkState::store(ValueRange state) {
  if (places.getRunColumns())
    return places.getRunRows() > 1 ? storeHead(state) : storeRuns(state);
  for (size_t unit = 0; unit < units.size(); ++unit)
    storeUnit(state, unit, {});
}
