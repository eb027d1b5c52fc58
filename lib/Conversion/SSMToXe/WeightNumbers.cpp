//===- WeightNumbers.cpp - Numbers of a weight, one by one ----------------===//

#include "WeightNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

std::optional<TileLayout> WeightNumbers::findLayout(Operation *op) { return getTileLayout(op); }

Value WeightNumbers::takeNibble(Value byte, Value isHigh) {
  Value word = arith::ExtUIOp::create(k, k.getI32Type(), byte);
  Value shift = arith::SelectOp::create(k, isHigh, k.i32(4), k.i32(0));
  Value moved = arith::ShRUIOp::create(k, word, shift);
  return arith::AndIOp::create(k, moved, k.i32(15));
}

/// Nibbles in two's complement, the first in the low half.
Value WeightNumbers::loadCode(Value row, Value column) {
  if (bits == 8)
    return scope.load(weight, {row, column});
  Value byte = k.loadRaw(*scope.getPlace(weight), {row, k.floorDiv(column, 2)});
  Value nibble = takeNibble(byte, k.isEqual(k.rem(column, 2), k.index(1)));
  Value turned = arith::XOrIOp::create(k, nibble, k.i32(8));
  return arith::SIToFPOp::create(k, k.getF32Type(),
                                 arith::SubIOp::create(k, turned, k.i32(8)).getResult());
}

Value WeightNumbers::loadTiledCode(Value row, Value column) {
  constexpr int64_t kBytes = TileLayout::rowBytesOfBlock;
  const int64_t width = layout->getBlockColumns();
  Value tile = k.floorDiv(row, TileLayout::tileRows), inTile = k.rem(row, TileLayout::tileRows);
  Value group = k.floorDiv(column, layout->getGroupSize());
  Value inGroup = k.rem(column, layout->getGroupSize());
  Value block = k.add(k.mul(group, layout->getGroupBlocks()), k.floorDiv(inGroup, width));
  Value inBlock = k.rem(inGroup, width);
  Value byte = k.add(k.mul(block, TileLayout::blockBytes),
                     k.add(k.mul(inTile, kBytes), k.rem(inBlock, kBytes)));
  if (bits == 8)
    return scope.load(weight, {tile, byte});
  Value nibble = takeNibble(k.loadRaw(*scope.getPlace(weight), {tile, byte}),
                            k.isLess(k.index(kBytes - 1), inBlock));
  return arith::SIToFPOp::create(k, k.getF32Type(),
                                 arith::SubIOp::create(k, nibble, k.i32(8)).getResult());
}

Value WeightNumbers::load(Value row, Value column) {
  if (!scales)
    return scope.load(weight, {row, column});
  Value code = layout ? loadTiledCode(row, column) : loadCode(row, column);
  SmallVector<Value> at = {row, k.floorDiv(column, groupSize)};
  if (layout)
    at = {k.floorDiv(row, TileLayout::tileRows), at[1], k.rem(row, TileLayout::tileRows)};
  if (zeroPoints)
    code = arith::SubFOp::create(k, code, scope.load(zeroPoints, at));
  return k.mulf(code, scope.load(scales, at));
}
