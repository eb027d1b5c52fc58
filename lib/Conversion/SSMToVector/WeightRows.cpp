//===- WeightRows.cpp - Rows of a weight, quantized or not ----------------===//

#include "WeightRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

WeightRows::WeightRows(KernelBuilder &k, Value weight, Value scales, Value zeroPoints,
                       std::optional<int64_t> packedBits, std::optional<int64_t> groupSize,
                       int64_t columns)
    : k(k), weight(weight), scales(scales), zeroPoints(zeroPoints), columns(columns),
      groupSize(scales ? std::min(*groupSize, std::max<int64_t>(columns, 1)) : columns),
      isNibbles(scales && *packedBits == 4) {
  // A group that starts inside a byte is read code by code: nobody makes odd groups on purpose.
  bool isAligned = this->groupSize % 2 == 0 || this->groupSize >= columns;
  isPaired = isNibbles && isAligned;
  lanes = isNibbles && !isAligned
              ? 1
              : k.lanesFor(isPaired ? llvm::divideCeil(this->groupSize, 2) : this->groupSize);
}

Value WeightRows::loadZeroPoint(Value row, Value group) {
  return zeroPoints ? k.loadScalar(zeroPoints, {row, group}) : nullptr;
}

/// Bits [first, first + 4) of each lane of i32, with their sign, as f32.
static Value signedNibble(KernelBuilder &k, Value words, unsigned first) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(k,
                                     DenseElementsAttr::get(cast<VectorType>(words.getType()),
                                                            k.getI32IntegerAttr(value).getValue()));
  };
  // Bytes come with the sign of their upper nibble, so that one shift suffices for it.
  if (first == 0)
    words = arith::ShLIOp::create(k, words, constant(28));
  words = arith::ShRSIOp::create(k, words, constant(first == 0 ? 28 : 4));
  return arith::SIToFPOp::create(k, cast<VectorType>(words.getType()).clone(k.getF32Type()), words);
}

static Value subtractSplat(KernelBuilder &k, Value vector, Value scalar) {
  if (!scalar)
    return vector;
  int64_t lanes = cast<VectorType>(vector.getType()).getDimSize(0);
  return arith::SubFOp::create(k, vector, k.splat(scalar, lanes));
}

/// One code of a row of nibbles, the column at any place in its byte.
Value WeightRows::loadNibble(Value row, Value column) {
  Value byte = memref::LoadOp::create(k, weight, ValueRange{row, k.floorDiv(column, 2)});
  Value word = arith::ExtSIOp::create(k, k.getI32Type(), byte);
  Value odd = arith::IndexCastOp::create(k, k.getI32Type(), k.rem(column, 2));
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(k, k.getI32IntegerAttr(value));
  };
  Value up = arith::SubIOp::create(k, constant(28),
                                   arith::MulIOp::create(k, odd, constant(4)).getResult());
  word = arith::ShRSIOp::create(k, arith::ShLIOp::create(k, word, up), constant(28));
  return k.splat(arith::SIToFPOp::create(k, k.getF32Type(), word), 1);
}

WeightRows::Values WeightRows::load(Value row, Value column, int64_t count, Value zeroPoint) {
  Values codes;
  if (isPaired) {
    Value bytes = k.loadRaw(weight, {row, k.floorDiv(column, 2)}, llvm::divideCeil(count, 2));
    Value words =
        arith::ExtSIOp::create(k, cast<VectorType>(bytes.getType()).clone(k.getI32Type()), bytes);
    codes = {signedNibble(k, words, 0), signedNibble(k, words, 4)};
  } else if (isNibbles) {
    codes = {loadNibble(row, column)};
  } else {
    codes = {k.load(weight, {row, column}, count)};
  }
  for (Value &code : codes)
    code = subtractSplat(k, code, zeroPoint);
  return codes;
}

Value WeightRows::loadInOrder(Value row, Value column, int64_t count, Value zeroPoint) {
  Values codes = load(row, column, count, zeroPoint);
  if (codes.size() == 1)
    return codes.front();
  int64_t half = llvm::divideCeil(count, 2);
  SmallVector<int64_t> mask;
  for (int64_t i = 0; i < count; ++i)
    mask.push_back(i / 2 + i % 2 * half);
  return k.shuffle(codes[0], codes[1], mask);
}

int64_t WeightRows::getLineColumns() const {
  constexpr int64_t lineBits = 512;
  return lineBits / (isNibbles ? 4 : cast<MemRefType>(weight.getType()).getElementTypeBitWidth());
}

void WeightRows::prefetch(Value row, Value column) {
  Value place = isNibbles ? k.floorDiv(column, 2) : column;
  memref::PrefetchOp::create(k, weight, ValueRange{row, place}, /*isWrite=*/false,
                             /*localityHint=*/2, /*isDataCache=*/true);
}

WeightRows::Values
WeightRows::overGroups(ValueRange inits,
                       function_ref<Values(Value, int64_t, Value, ValueRange)> body) {
  int64_t whole = groupSize == 0 ? 0 : columns / groupSize;
  Values values(inits);
  if (whole == 1)
    values = body(k.index(0), groupSize, k.index(0), values);
  else if (whole > 1)
    values = k.loop(k.index(0), k.index(whole), 1, values, [&](Value group, ValueRange state) {
      return body(k.mul(group, groupSize), groupSize, group, state);
    });
  if (int64_t rest = columns - whole * groupSize)
    values = body(k.index(whole * groupSize), rest, k.index(whole), values);
  return values;
}

Value WeightRows::arrange(Value other) {
  Value tokens = k.dim(other, 0);
  Value arranged = k.allocate(tokens, {static_cast<int64_t>(llvm::divideCeil(columns, 2)) * 2});
  k.loop(k.index(0), tokens, 1, [&](Value t) {
    overGroups(ValueRange(), [&](Value base, int64_t extent, Value, ValueRange) -> Values {
      return k.overColumns(base, extent, getChunkColumns(), ValueRange(),
                           [&](Value column, int64_t count, ValueRange) -> Values {
                             Value row = k.load(other, {t, column}, count);
                             int64_t half = llvm::divideCeil(count, 2);
                             row = k.pad(row, 2 * half);
                             for (int64_t odd : {0, 1}) {
                               SmallVector<int64_t> mask;
                               for (int64_t i = 0; i < half; ++i)
                                 mask.push_back(2 * i + odd);
                               k.store(k.shuffle(row, row, mask), arranged,
                                       {t, k.add(column, odd * half)});
                             }
                             return {};
                           });
    });
  });
  return arranged;
}

WeightRows::Values WeightRows::loadOther(Value other, Value row, Value column, int64_t count) {
  if (!isPaired)
    return {k.load(other, {row, column}, count)};
  int64_t half = llvm::divideCeil(count, 2);
  return {k.load(other, {row, column}, half), k.load(other, {row, k.add(column, half)}, half)};
}
