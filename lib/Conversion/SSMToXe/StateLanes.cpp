//===- StateLanes.cpp - Rows of a state over the lanes of a sub-group -----===//

#include "StateLanes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

StateLanes::StateLanes(const StoredStatePlaces &places, int64_t runColumns)
    : places(places), k(places.k) {
  int64_t columns = places.getColumns();
  if (places.getRunColumns())
    runColumns = places.getRunColumns();
  else if (!runColumns)
    runColumns = columns;
  for (int64_t run = 0; run * runColumns < columns; ++run) {
    int64_t end = std::min((run + 1) * runColumns, columns);
    for (int64_t at = run * runColumns; at < end; at += XeBuilder::kLanes)
      chunks.push_back({at, std::min(XeBuilder::kLanes, end - at), run});
  }
}

Value StateLanes::getColumn(const Chunk &chunk) {
  Value inChunk = k.lane;
  if (chunk.count < XeBuilder::kLanes)
    inChunk = k.min(inChunk, k.index(chunk.count - 1));
  return k.add(inChunk, chunk.start);
}

Value StateLanes::mask(const Chunk &chunk, Value number) {
  if (chunk.count == XeBuilder::kLanes)
    return number;
  return k.select(k.isLess(k.lane, k.index(chunk.count)), number, k.f32(0));
}

Values StateLanes::load(ArrayRef<Value> indices) {
  Values row;
  for (const Chunk &chunk : chunks)
    row.push_back(mask(chunk, places.load(indices, getColumn(chunk))));
  return row;
}

void StateLanes::storeChunk(const Chunk &chunk, Value number, ArrayRef<Value> indices,
                            const IntegerGrid &grid) {
  auto store = [&] { places.store(number, indices, getColumn(chunk), grid); };
  if (chunk.count == XeBuilder::kLanes)
    return store();
  k.ifThen(k.isLess(k.lane, k.index(chunk.count)), store);
}

void StateLanes::store(ArrayRef<Value> row, ArrayRef<Value> indices, const IntegerGrid &grid) {
  for (auto [chunk, number] : llvm::zip_equal(chunks, row))
    storeChunk(chunk, number, indices, grid);
}

void StateLanes::store(ArrayRef<Value> row, ArrayRef<Value> indices) {
  if (!places.getRunColumns())
    return store(row, indices, {});
  for (size_t i = 0; i < chunks.size();) {
    int64_t run = chunks[i].run;
    size_t first = i;
    Value most = k.i32(0);
    for (; i < chunks.size() && chunks[i].run == run; ++i)
      most = places.takeMost(most, row[i]);
    most = k.reduceSubgroup(
        most, [&](Value a, Value b) -> Value { return arith::MaxSIOp::create(k, a, b); });
    IntegerGrid grid = places.fit(most);
    for (size_t c = first; c < i; ++c)
      storeChunk(chunks[c], row[c], indices, grid);
    k.ifThen(k.isEqual(k.lane, k.index(0)), [&] { places.storeScale(grid, indices, run); });
  }
}
