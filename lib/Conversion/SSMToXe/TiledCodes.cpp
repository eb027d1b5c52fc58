//===- TiledCodes.cpp - Quantized weights in tiles, by lanes --------------===//

#include "TiledCodes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <numeric>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

TileLayout ssm::getIntegerLayout(IntegerLinearOp op) {
  int64_t rows = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  return TileLayout(rows, op.getColumns(), op.getGroupSize(), op.getPackedBits());
}

Place ssm::asWords(const Place &bytes) {
  Type word = IntegerType::get(bytes.element.getContext(), 32);
  return {bytes.pointer, word, {bytes.strides[0] / TileLayout::rowBytesOfBlock, 1}};
}

TiledCodes::TiledCodes(LaunchScope &scope, Value weight, Value scales, Value zeroPoints,
                       const TileLayout &layout)
    : layout(layout), k(scope.k), scope(scope), scales(scales), zeroPoints(zeroPoints) {
  const Place &bytes = *scope.getPlace(weight);
  words = {bytes.pointer,
           k.getI32Type(),
           {bytes.strides[0] / TileLayout::rowBytesOfBlock, TileLayout::tileRows, 1}};
}

bool TiledCodes::isPadded() const { return layout.getPaddedColumns() != layout.getColumns(); }

int64_t TiledCodes::getChunkBlocks(int64_t most) const {
  int64_t last = layout.getNumBlocks() - (layout.getNumGroups() - 1) * layout.getGroupBlocks();
  int64_t common = std::gcd(layout.getGroupBlocks(), last);
  while (common % most != 0)
    --most;
  return most;
}

Value TiledCodes::loadWord(Value tile, Value block) {
  return k.loadRaw(words, {tile, block, k.lane});
}

Value TiledCodes::shiftRight(Value word, int64_t bits) {
  if (bits == 0)
    return word;
  if (bits < 0)
    return arith::ShLIOp::create(k, word, k.i32(static_cast<int32_t>(-bits)));
  return arith::ShRUIOp::create(k, word, k.i32(static_cast<int32_t>(bits)));
}

// A code becomes a float without a conversion: moved into the upper bits of the fraction of 2^bits,
// the offset code c + h, h = 2^(bits - 1), gives the float 2^bits + c + h.
TiledCodes::Values TiledCodes::toFloats(Value word) {
  const int64_t bits = layout.getBits(), fraction = 23 - bits;
  Value mask = k.i32(((1 << bits) - 1) << fraction);
  // Nibbles are stored with their offset; turning the upper bit of a byte adds it.
  int64_t turned = bits == 8 ? int64_t(0x80) << fraction : 0;
  Value pattern = k.i32(static_cast<int32_t>(((127 + bits) << 23) ^ turned));
  Values floats;
  for (int64_t column = 0; column < layout.getBlockColumns(); ++column) {
    int64_t first = bits == 8 ? 8 * column : 8 * (column % 4) + 4 * (column / 4);
    Value code = arith::AndIOp::create(k, shiftRight(word, first - fraction), mask);
    Value offset = arith::XOrIOp::create(k, code, pattern);
    floats.push_back(arith::BitcastOp::create(k, k.getF32Type(), offset));
  }
  return floats;
}

Value TiledCodes::loadExcess(Value tile, Value group) {
  Value excess = k.f32(static_cast<float>(3 << (layout.getBits() - 1)));
  return zeroPoints ? k.addf(excess, scope.load(zeroPoints, {tile, group, k.lane})) : excess;
}

TiledCodes::Values TiledCodes::toBytes(Value word) {
  if (layout.getBits() == 8)
    return {word};
  Value mask = k.i32(0x0f0f0f0f);
  return {arith::AndIOp::create(k, word, mask),
          arith::AndIOp::create(k, shiftRight(word, 4), mask)};
}

TiledCodes::Values TiledCodes::toSignedBytes(Value word) {
  Values words = toBytes(word);
  if (layout.getBits() == 8)
    return words;
  // The upper bit of each byte keeps the difference from borrowing of the next one.
  Value upper = k.i32(static_cast<int32_t>(0x80808080)), offset = k.i32(0x08080808);
  for (Value &bytes : words) {
    Value raised = arith::OrIOp::create(k, bytes, upper);
    bytes = arith::XOrIOp::create(k, arith::SubIOp::create(k, raised, offset).getResult(), upper);
  }
  return words;
}

Value TiledCodes::loadZeroPoint(Value tile, Value group) {
  Value code = k.loadRaw(*scope.getPlace(zeroPoints), {tile, group, k.lane});
  return arith::ExtSIOp::create(k, k.getI32Type(), code);
}

Value TiledCodes::loadByteExcess(Value tile, Value group) {
  Value excess = layout.getBits() == 4 ? k.i32(8) : Value();
  if (!zeroPoints)
    return excess;
  Value zeroPoint = loadZeroPoint(tile, group);
  return excess ? arith::AddIOp::create(k, zeroPoint, excess).getResult() : zeroPoint;
}

Value TiledCodes::loadScale(Value tile, Value group) {
  return scope.load(scales, {tile, group, k.lane});
}
