//===- StateRows.cpp - Rows of a state as vectors of f32 ------------------===//

#include "StateRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "ssmq/Formats/Format.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = KernelBuilder::Values;

static VectorType withElement(Value vector, Type element) {
  return cast<VectorType>(vector.getType()).clone(element);
}

static Value bitcast(KernelBuilder &k, Value vector, Type element) {
  return arith::BitcastOp::create(k, withElement(vector, element), vector);
}

static Value integers(KernelBuilder &k, Value like, Type element, int64_t value) {
  auto type = withElement(like, element);
  return arith::ConstantOp::create(k,
                                   SplatElementsAttr::get(type, k.getIntegerAttr(element, value)));
}

static Value floats(KernelBuilder &k, Value like, float value) {
  return arith::ConstantOp::create(
      k, SplatElementsAttr::get(withElement(like, k.getF32Type()), k.getF32FloatAttr(value)));
}

static Value select(KernelBuilder &k, Value condition, Value a, Value b) {
  return arith::SelectOp::create(k, condition, a, b);
}

/// The smallest f16 that is not below each value, in f32.
static Value roundUpToHalf(KernelBuilder &k, Value values) {
  Type i16 = k.getIntegerType(16), f16 = k.getF16Type();
  Value half = k.narrow(values, f16), back = k.widen(half);
  Value isBelow = arith::CmpFOp::create(k, arith::CmpFPredicate::OLT, back, values);
  Value bits = bitcast(k, half, i16);
  Value above = arith::AddIOp::create(k, bits, integers(k, values, i16, 1));
  return k.widen(bitcast(k, select(k, isBelow, above, bits), f16));
}

/// 1.5 * 2^23: adding it to a number of few bits leaves the nearest integer in the low bits.
static constexpr float kMagic = 12582912.0f;
static constexpr float kLargestCode = 127;

static Value nearest(KernelBuilder &k, Value vector) {
  Value magic = floats(k, vector, kMagic);
  return arith::SubFOp::create(k, arith::AddFOp::create(k, vector, magic).getResult(), magic);
}

/// 1 / scale, 0 where the scale is.
static Value invert(KernelBuilder &k, Value scales) {
  Value zero = floats(k, scales, 0);
  Value isZero = arith::CmpFOp::create(k, arith::CmpFPredicate::OEQ, scales, zero);
  Value inverse = arith::DivFOp::create(k, floats(k, scales, 1), scales);
  return select(k, isZero, zero, inverse);
}

StateRows::StateRows(KernelBuilder &k, Value state, Value scales, FormatAttr format,
                     int64_t leastLanes)
    : k(k), state(state), scales(scales),
      elementType(cast<MemRefType>(state.getType()).getElementType()) {
  int64_t columns = cast<MemRefType>(state.getType()).getShape().back();
  int64_t runColumns = columns;
  if (format && format.getFormat()->getSharing().kind == ::ssmq::Sharing::Group)
    runColumns = std::min(columns, format.getFormat()->getSharing().groupSize);
  lanes = std::max(leastLanes, k.lanesFor(runColumns));
  runs = (columns + runColumns - 1) / runColumns;
  for (int64_t run = 0; run < runs; ++run) {
    int64_t end = std::min((run + 1) * runColumns, columns);
    for (int64_t at = run * runColumns; at < end; at += lanes)
      chunks.push_back({at, std::min(lanes, end - at), run});
  }
}

Value StateRows::splatOf(Value vector, int64_t lane) {
  return k.splat(k.extract(vector, lane), lanes);
}

StateRows::Rows StateRows::load(int64_t rows, Places at) {
  if (!hasScales())
    return load(rows, at, nullptr);
  Value all = k.zeros(rows * runs);
  for (int64_t r = 0; r < rows; ++r) {
    Value ofRow = k.load(scales, {at(r).scaleRow, k.index(0)}, runs);
    all = vector::InsertStridedSliceOp::create(k, ofRow, all, ArrayRef<int64_t>{r * runs},
                                               ArrayRef<int64_t>{1});
  }
  return load(rows, at, all);
}

StateRows::Rows StateRows::load(int64_t rows, Places at, Value given) {
  Rows result{{}, given};
  for (int64_t r = 0; r < rows; ++r) {
    Values indices = at(r).indices;
    for (const Chunk &chunk : chunks) {
      Values place(indices);
      place.push_back(k.index(chunk.start));
      Value values = k.pad(k.load(state, place, chunk.count), lanes);
      if (given)
        values = arith::MulFOp::create(k, values, splatOf(given, r * runs + chunk.run));
      result.vectors.push_back(values);
    }
  }
  return result;
}

Value StateRows::magnitudeBits(Value vector) {
  return bitcast(k, math::AbsFOp::create(k, vector), k.getI32Type());
}

Value StateRows::mostOfRuns(ArrayRef<Value> vectors) {
  SmallVector<Value> most(vectors.size() / chunks.size() * runs);
  for (auto [i, vector] : llvm::enumerate(vectors)) {
    Value &known = most[runOf(i)], bits = magnitudeBits(vector);
    known = known ? arith::MaxSIOp::create(k, known, bits).getResult() : bits;
  }
  return k.mergeLanes(most,
                      [&](Value a, Value b) -> Value { return arith::MaxSIOp::create(k, a, b); });
}

Value StateRows::fitScales(Value mostBits) {
  Value most = bitcast(k, mostBits, k.getF32Type()), steps = floats(k, most, kLargestCode);
  Value scale = roundUpToHalf(k, arith::DivFOp::create(k, most, steps));
  // Near the least f16 the largest value may not reach the largest code.
  Value isSmall =
      arith::CmpFOp::create(k, arith::CmpFPredicate::OLT, scale, floats(k, most, 0x1p-15f));
  Value reached =
      arith::MulFOp::create(k, nearest(k, arith::MulFOp::create(k, most, invert(k, scale))), scale);
  Value finer = roundUpToHalf(k, arith::DivFOp::create(k, reached, steps));
  return select(k, isSmall, finer, scale);
}

Value StateRows::toCodes(Value vector, Value inverse) {
  Value steps = arith::MulFOp::create(k, vector, inverse);
  Value shifted = arith::AddFOp::create(k, steps, floats(k, vector, kMagic));
  // No conversion, which is undefined for NaN.
  return arith::TruncIOp::create(k, withElement(vector, k.getI8Type()),
                                 bitcast(k, shifted, k.getI32Type()));
}

void StateRows::storeVectors(const Rows &rows, int64_t count, Places at) {
  Value inverse = rows.scales ? invert(k, rows.scales) : nullptr;
  for (int64_t r = 0; r < count; ++r) {
    Values indices = at(r).indices;
    for (auto [c, chunk] : llvm::enumerate(chunks)) {
      size_t i = r * chunks.size() + c;
      Values place(indices);
      place.push_back(k.index(chunk.start));
      Value stored = inverse ? toCodes(rows.vectors[i], splatOf(inverse, runOf(i)))
                             : k.narrow(rows.vectors[i], elementType);
      k.store(k.slice(stored, 0, chunk.count), state, place);
    }
  }
}

void StateRows::storeScales(Value values, Value scaleRow) {
  k.store(k.narrow(values, k.getF16Type()), scales, {scaleRow, k.index(0)});
}

void StateRows::store(const Rows &rows, int64_t count, Places at) {
  Rows fitted = rows;
  if (hasScales()) {
    fitted.scales = fitScales(mostOfRuns(rows.vectors));
    for (int64_t r = 0; r < count; ++r)
      storeScales(k.slice(fitted.scales, r * runs, runs), at(r).scaleRow);
  }
  storeVectors(fitted, count, at);
}
