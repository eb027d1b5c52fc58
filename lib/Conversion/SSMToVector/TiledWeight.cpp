//===- TiledWeight.cpp - Weights in tiles of 16 rows ----------------------===//

#include "TiledWeight.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

Value TiledWeight::loadBytes(Value tile, Value block, int64_t part) {
  int64_t bytes = lanes * TileLayout::rowBytesOfBlock;
  return k.loadRaw(weight, {tile, k.add(k.mul(block, TileLayout::blockBytes), part * bytes)},
                   bytes);
}

void TiledWeight::prefetchAhead(Value tile, Value block) {
  // The place may lie in the next tile, or after the last one: a prefetch never faults.
  Value byte = k.mul(k.add(block, blocksAhead), TileLayout::blockBytes);
  memref::PrefetchOp::create(k, weight, ValueRange{tile, byte}, /*isWrite=*/false,
                             /*localityHint=*/2, /*isDataCache=*/true);
}

TiledWeight::Values TiledWeight::unpackBytes(Value bytes, ByteRange range) {
  auto type = cast<VectorType>(bytes.getType());
  if (layout.getBits() == 8)
    return {range == ByteRange::Unsigned
                ? arith::XOrIOp::create(k, bytes, k.integers(type, 0x80)).getResult()
                : bytes};
  auto wordType = VectorType::get({lanes}, k.getI32Type());
  Value words = vector::BitCastOp::create(k, wordType, bytes);
  auto maskNibbles = [&](Value words) -> Value {
    Value low = arith::AndIOp::create(k, words, k.integers(wordType, 0x0f0f0f0f));
    return vector::BitCastOp::create(k, type, low);
  };
  Value upper = arith::ShRUIOp::create(k, words, k.integers(wordType, 4));
  return {maskNibbles(words), maskNibbles(upper)};
}

// A code becomes a float without a conversion: moved into the upper bits of the fraction of 2^bits,
// the offset code c + h, h = 2^(bits - 1), gives the float 2^bits + c + h. The excess over c less
// its zero point is what loadExcess gives.
TiledWeight::Values TiledWeight::unpackFloats(Value bytes, int64_t columns) {
  const int64_t bits = layout.getBits(), fraction = 23 - bits;
  auto type = VectorType::get({lanes}, k.getI32Type());
  Value words = vector::BitCastOp::create(k, type, bytes);
  Value mask = k.integers(type, ((int64_t(1) << bits) - 1) << fraction);
  int64_t exponent = (127 + bits) << 23;
  // Nibbles are stored with their offset; turning the upper bit of a byte adds it.
  int64_t turned = bits == 8 ? int64_t(0x80) << fraction : 0;
  Value pattern = k.integers(type, exponent ^ turned);
  Values values;
  for (int64_t column = 0; column < columns; ++column) {
    int64_t first = bits == 8 ? 8 * column : 8 * (column % 4) + 4 * (column / 4);
    int64_t left = fraction - first;
    Value moved = left >= 0 ? arith::ShLIOp::create(k, words, k.integers(type, left)).getResult()
                            : arith::ShRUIOp::create(k, words, k.integers(type, -left)).getResult();
    Value pattern32 =
        arith::XOrIOp::create(k, arith::AndIOp::create(k, moved, mask).getResult(), pattern);
    values.push_back(arith::BitcastOp::create(k, k.vectorType(lanes), pattern32));
  }
  return values;
}

Value TiledWeight::loadExcess(Value tile, Value group, int64_t part) {
  const int64_t bits = layout.getBits();
  Value excess = k.splat(k.f32(static_cast<float>(3 << (bits - 1))), lanes);
  if (!zeroPoints)
    return excess;
  return arith::AddFOp::create(k, excess, k.widen(loadZeroPoints(tile, group, part)));
}

Value TiledWeight::loadScales(Value tile, Value group, int64_t part) {
  return k.load(scales, {tile, group, k.index(part * lanes)}, lanes);
}

Value TiledWeight::loadZeroPoints(Value tile, Value group, int64_t part) {
  Value bytes = k.loadRaw(zeroPoints, {tile, group, k.index(part * lanes)}, lanes);
  return arith::ExtSIOp::create(k, VectorType::get({lanes}, k.getI32Type()), bytes);
}

void TiledWeight::overTiles(int64_t tilesOfBlock, Value work,
                            function_ref<void(Value, int64_t, int64_t)> body) {
  const int64_t tileRows = TileLayout::tileRows, numTiles = layout.getNumTiles();
  int64_t blocks = layout.getRows() / tileRows / tilesOfBlock;
  if (blocks > 0)
    k.parallel(k.index(blocks), work,
               [&](Value i) { body(k.mul(i, tilesOfBlock), tilesOfBlock, tileRows); });
  int64_t first = blocks * tilesOfBlock;
  if (first < numTiles)
    body(k.index(first), numTiles - first, layout.getRows() - (numTiles - 1) * tileRows);
}

void TiledWeight::overRows(Value firstTile, int64_t numTiles, int64_t rowsOfLast,
                           function_ref<void(int64_t, Value, int64_t)> body) {
  Value firstRow = k.mul(firstTile, TileLayout::tileRows);
  int64_t numRows = (numTiles - 1) * TileLayout::tileRows + rowsOfLast;
  for (int64_t part = 0; part * lanes < numRows; ++part)
    body(part, k.add(firstRow, part * lanes), std::min(lanes, numRows - part * lanes));
}

TiledWeight::Values
TiledWeight::overGroups(ValueRange inits,
                        function_ref<Values(Value, Value, int64_t, ValueRange)> body) {
  int64_t groupSize = layout.getGroupSize(), whole = layout.getColumns() / groupSize;
  Values values =
      k.overColumns(k.index(0), whole, 1, inits, [&](Value group, int64_t, ValueRange state) {
        return body(group, k.mul(group, layout.getGroupBlocks()), groupSize, state);
      });
  if (int64_t rest = layout.getColumns() - whole * groupSize)
    values = body(k.index(whole), k.index(whole * layout.getGroupBlocks()), rest, values);
  return values;
}
