//===- WideNibbles.cpp - Products with 4-bit codes, 32 bits at a time -----===//

#include "WideNibbles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

/// Lowest of the four highest bits of a float's fraction, and what is there for code 0 of 16.0.
static constexpr int64_t kFractionShift = 19;
static constexpr float kOffset = 24.0f;

bool WideNibbles::canRead(const KernelBuilder &k, int64_t groupSize, int64_t columns) {
  if (columns == 0 || columns % kCodes != 0)
    return false;
  if (groupSize >= columns)
    return true;
  int64_t chunk = kCodes * k.lanesFor(columns / kCodes);
  return groupSize % kCodes == 0 && (groupSize % chunk == 0 || chunk % groupSize == 0);
}

/// Lanes [0, count / 8) of the row's numbers of groups, each lane that of its columns.
Value WideNibbles::perLane(Value matrix, Value row, Value column, int64_t count) {
  int64_t used = count / kCodes;
  if (groupSize >= count)
    return k.splat(k.loadScalar(matrix, {row, k.floorDiv(column, groupSize)}), used);
  int64_t groups = llvm::divideCeil(count, groupSize);
  Value ofGroups = k.load(matrix, {row, k.floorDiv(column, groupSize)}, groups);
  SmallVector<int64_t> mask;
  for (int64_t lane = 0; lane < used; ++lane)
    mask.push_back(lane * kCodes / groupSize);
  return k.shuffle(ofGroups, ofGroups, mask);
}

/// 16 + (code + 8) of the columns column + 8 lane + i, for each i below 8.
WideNibbles::Values WideNibbles::loadCodes(Value row, Value column, int64_t count) {
  int64_t used = count / kCodes;
  Value bytes = k.loadRaw(weight, {row, k.floorDiv(column, 2)}, count / 2);
  auto type = VectorType::get({used}, k.getI32Type());
  Value words = vector::BitCastOp::create(k, type, bytes);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(k, DenseElementsAttr::get(type, APInt(32, value)));
  };
  // Flipping a code's upper bit adds 8 to it.
  Value mask = constant(int64_t(0xf) << kFractionShift);
  Value flip = constant(0x41800000 ^ (int64_t(8) << kFractionShift));
  Values codes;
  for (int64_t i = 0; i < kCodes; ++i) {
    int64_t left = kFractionShift - 4 * i;
    Value moved = left >= 0 ? arith::ShLIOp::create(k, words, constant(left)).getResult()
                            : arith::ShRUIOp::create(k, words, constant(-left)).getResult();
    Value bits = arith::XOrIOp::create(k, arith::AndIOp::create(k, moved, mask).getResult(), flip);
    codes.push_back(arith::BitcastOp::create(k, k.vectorType(used), bits));
  }
  return codes;
}

Value WideNibbles::arrange(Value other) {
  Value tokens = k.dim(other, 0);
  // Nine vectors take the place of eight: chunk by chunk, offsets grow by an eighth.
  Value arranged = k.allocate(tokens, {columns / kCodes * (kCodes + 1)});
  k.loop(k.index(0), tokens, 1, [&](Value t) {
    k.overColumns(columns, chunkColumns(), [&](Value column, int64_t count) {
      int64_t used = count / kCodes;
      Value row = k.load(other, {t, column}, count), sum;
      Value target = k.add(column, k.floorDiv(column, kCodes));
      for (int64_t i = 0; i < kCodes; ++i) {
        SmallVector<int64_t> mask;
        for (int64_t lane = 0; lane < used; ++lane)
          mask.push_back(lane * kCodes + i);
        Value values = k.shuffle(row, row, mask);
        k.store(values, arranged, {t, k.add(target, i * used)});
        sum = sum ? arith::AddFOp::create(k, sum, values).getResult() : values;
      }
      k.store(sum, arranged, {t, k.add(target, kCodes * used)});
    });
  });
  return arranged;
}

WideNibbles::Values WideNibbles::chunk(Value arranged, ArrayRef<Value> rows, ArrayRef<Value> tokens,
                                       Value column, int64_t count, ValueRange sums) {
  int64_t used = count / kCodes;
  Value source = k.add(column, k.floorDiv(column, kCodes));
  Values next(sums);
  for (auto [r, row] : llvm::enumerate(rows)) {
    Values codes = loadCodes(row, column, count);
    Value scale = perLane(scales, row, column, count);
    Value offset = k.splat(k.f32(-kOffset), used);
    if (zeroPoints)
      offset = arith::SubFOp::create(k, offset, perLane(zeroPoints, row, column, count));
    for (auto [t, token] : llvm::enumerate(tokens)) {
      Value excess = k.load(arranged, {token, k.add(source, kCodes * used)}, used);
      Value partial = arith::MulFOp::create(k, excess, offset);
      for (int64_t i = 0; i < kCodes; ++i)
        partial =
            k.fma(codes[i], k.load(arranged, {token, k.add(source, i * used)}, used), partial);
      Value &sum = next[r * tokens.size() + t];
      sum = k.fma(k.pad(scale, lanes), k.pad(partial, lanes), sum);
    }
  }
  return next;
}

WideNibbles::Values WideNibbles::dots(Value arranged, ArrayRef<Value> rows, ArrayRef<Value> tokens,
                                      ValueRange sums) {
  return k.overColumns(k.index(0), columns, chunkColumns(), sums,
                       [&](Value column, int64_t count, ValueRange before) {
                         return chunk(arranged, rows, tokens, column, count, before);
                       });
}
