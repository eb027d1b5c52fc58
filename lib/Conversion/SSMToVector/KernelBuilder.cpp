//===- KernelBuilder.cpp - Builds the loops of a kernel -------------------===//

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mlir::ssm;

Value KernelBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, getLoc(), value);
}
Value KernelBuilder::f32(float value) {
  return arith::ConstantOp::create(*this, getF32FloatAttr(value));
}
Value KernelBuilder::add(Value lhs, Value rhs) { return createOrFold<arith::AddIOp>(lhs, rhs); }
Value KernelBuilder::mul(Value lhs, Value rhs) { return createOrFold<arith::MulIOp>(lhs, rhs); }
Value KernelBuilder::floorDiv(Value lhs, int64_t rhs) {
  return createOrFold<arith::DivUIOp>(lhs, index(rhs));
}
Value KernelBuilder::rem(Value lhs, int64_t rhs) {
  return createOrFold<arith::RemUIOp>(lhs, index(rhs));
}
Value KernelBuilder::min(Value lhs, Value rhs) { return createOrFold<arith::MinSIOp>(lhs, rhs); }
Value KernelBuilder::dim(Value memref, int64_t dim) {
  int64_t size = cast<MemRefType>(memref.getType()).getDimSize(dim);
  return ShapedType::isDynamic(size) ? memref::DimOp::create(*this, memref, dim).getResult()
                                     : index(size);
}

Value KernelBuilder::zeros(int64_t lanes) {
  VectorType type = vectorType(lanes);
  return arith::ConstantOp::create(*this, type, getZeroAttr(type));
}
Value KernelBuilder::splat(Value scalar, int64_t lanes) {
  return vector::BroadcastOp::create(*this, VectorType::get({lanes}, scalar.getType()), scalar);
}
Value KernelBuilder::integers(VectorType type, int64_t value) {
  APInt bits(type.getElementTypeBitWidth(), value, /*isSigned=*/true, /*implicitTrunc=*/true);
  return arith::ConstantOp::create(*this, DenseElementsAttr::get(type, bits));
}
Value KernelBuilder::fma(Value a, Value b, Value c) {
  return vector::FMAOp::create(*this, a, b, c);
}
Value KernelBuilder::shuffle(Value a, Value b, ArrayRef<int64_t> mask) {
  return vector::ShuffleOp::create(*this, a, b, getDenseI64ArrayAttr(mask));
}

static int64_t getLanes(Value vector) { return cast<VectorType>(vector.getType()).getDimSize(0); }

Value KernelBuilder::pad(Value vector, int64_t lanes) {
  if (getLanes(vector) == lanes)
    return vector;
  VectorType type = VectorType::get({lanes}, getElementTypeOrSelf(vector.getType()));
  Value zeros = arith::ConstantOp::create(*this, type, getZeroAttr(type));
  return vector::InsertStridedSliceOp::create(*this, vector, zeros, ArrayRef<int64_t>{0},
                                              ArrayRef<int64_t>{1});
}

Value KernelBuilder::slice(Value vector, int64_t first, int64_t lanes) {
  if (getLanes(vector) == lanes)
    return vector;
  return vector::ExtractStridedSliceOp::create(*this, vector, ArrayRef<int64_t>{first},
                                               ArrayRef<int64_t>{lanes}, ArrayRef<int64_t>{1});
}

Value KernelBuilder::extract(Value vector, int64_t lane) {
  return vector::ExtractOp::create(*this, vector, ArrayRef<int64_t>{lane});
}

Value KernelBuilder::sumLanes(Value vector) { return extract(sumEach(vector), 0); }

Value KernelBuilder::maxLanes(Value vector) {
  for (int64_t half = getLanes(vector) / 2; half > 0; half /= 2)
    vector = arith::MaximumFOp::create(*this, slice(vector, 0, half), slice(vector, half, half));
  return extract(vector, 0);
}

/// Lane numbers of `count` consecutive groups of `width` lanes: of each group `take` from `first`.
static SmallVector<int64_t> groupLanes(int64_t count, int64_t width, int64_t first, int64_t take) {
  SmallVector<int64_t> lanes;
  for (int64_t group = 0; group < count; ++group)
    for (int64_t lane = 0; lane < take; ++lane)
      lanes.push_back(group * width + first + lane);
  return lanes;
}

Value KernelBuilder::sumEach(ArrayRef<Value> vectors) {
  return mergeLanes(vectors,
                    [&](Value a, Value b) -> Value { return arith::AddFOp::create(*this, a, b); });
}

// Each step joins the upper half of every vector's lanes to the lower half and puts two vectors
// into one, so that n results cost about 3n operations instead of 2n log(width).
Value KernelBuilder::mergeLanes(ArrayRef<Value> vectors,
                                function_ref<Value(Value, Value)> combine) {
  SmallVector<Value> parts(vectors);
  parts.resize(llvm::bit_ceil(parts.size()), parts.back());
  int64_t width = getLanes(parts.front()), groups = 1;
  while (parts.size() > 1) {
    SmallVector<Value> merged;
    for (size_t i = 0; i < parts.size(); i += 2) {
      int64_t take = std::max<int64_t>(width / 2, 1);
      Value low = shuffle(parts[i], parts[i + 1], groupLanes(2 * groups, width, 0, take));
      if (width > 1) {
        Value high = shuffle(parts[i], parts[i + 1], groupLanes(2 * groups, width, take, take));
        low = combine(low, high);
      }
      merged.push_back(low);
    }
    width = std::max<int64_t>(width / 2, 1);
    groups *= 2;
    parts = std::move(merged);
  }
  Value joined = parts.front();
  for (; width > 1; width /= 2) {
    Value low = shuffle(joined, joined, groupLanes(groups, width, 0, width / 2));
    Value high = shuffle(joined, joined, groupLanes(groups, width, width / 2, width / 2));
    joined = combine(low, high);
  }
  return slice(joined, 0, vectors.size());
}

Value KernelBuilder::pick(ArrayRef<Value> vectors, ArrayRef<int64_t> places) {
  int64_t width = getLanes(vectors.front());
  Value result;
  for (auto [v, vector] : llvm::enumerate(vectors)) {
    SmallVector<int64_t> mask;
    bool isUsed = false;
    for (auto [lane, place] : llvm::enumerate(places)) {
      bool isHere = place / width == static_cast<int64_t>(v);
      isUsed |= isHere;
      mask.push_back(isHere ? place % width : result ? width + lane : 0);
    }
    if (isUsed)
      result = shuffle(vector, result ? result : vector, mask);
  }
  return result;
}

// Interleaving the first half of the rows with the second moves the highest bit of a row's number
// below the bits of its lanes' numbers; as often as there are such bits, it exchanges both.
KernelBuilder::Values KernelBuilder::transpose(ArrayRef<Value> rows) {
  int64_t size = rows.size(), half = size / 2;
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < half; ++lane) {
    low.append({lane, size + lane});
    high.append({half + lane, size + half + lane});
  }
  Values current(rows);
  for (int64_t step = 1; step < size; step *= 2) {
    Values next;
    for (int64_t i = 0; i < half; ++i) {
      next.push_back(shuffle(current[i], current[half + i], low));
      next.push_back(shuffle(current[i], current[half + i], high));
    }
    current = std::move(next);
  }
  return current;
}

Value KernelBuilder::loadRaw(Value memref, ValueRange indices, int64_t lanes) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  return vector::LoadOp::create(*this, VectorType::get({lanes}, element), memref, indices);
}
Value KernelBuilder::load(Value memref, ValueRange indices, int64_t lanes) {
  return widen(loadRaw(memref, indices, lanes));
}
Value KernelBuilder::loadScalar(Value memref, ValueRange indices) {
  return widen(memref::LoadOp::create(*this, memref, indices));
}
void KernelBuilder::store(Value vector, Value memref, ValueRange indices) {
  vector::StoreOp::create(*this, vector, memref, indices);
}
void KernelBuilder::storeScalar(Value scalar, Value memref, ValueRange indices) {
  memref::StoreOp::create(*this, scalar, memref, indices);
}

Value KernelBuilder::widen(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  auto withElement = [&](Type type) -> Type {
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      return vector.clone(type);
    return type;
  };
  if (element.isF32())
    return value;
  if (isa<FloatType>(element))
    return arith::ExtFOp::create(*this, withElement(getF32Type()), value);
  if (!element.isInteger(32))
    value = arith::ExtSIOp::create(*this, withElement(getI32Type()), value);
  return arith::SIToFPOp::create(*this, withElement(getF32Type()), value);
}

// In integers, since targets convert to bf16 by instructions that flush subnormal numbers, or one
// number at a time.
static Value narrowToBFloat(KernelBuilder &k, Value vector) {
  auto type = cast<VectorType>(vector.getType());
  VectorType words = type.clone(k.getI32Type());
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(k, SplatElementsAttr::get(words, k.getI32IntegerAttr(value)));
  };
  Value bits = arith::BitcastOp::create(k, words, vector), sixteen = constant(16);
  Value high = arith::ShRUIOp::create(k, bits, sixteen);
  Value odd = arith::AndIOp::create(k, high, constant(1));
  Value bias = arith::AddIOp::create(k, odd, constant(0x7fff));
  Value biased = arith::AddIOp::create(k, bits, bias);
  Value rounded = arith::ShRUIOp::create(k, biased, sixteen);
  Value isNaN = arith::CmpFOp::create(k, arith::CmpFPredicate::UNO, vector, vector);
  rounded = arith::SelectOp::create(k, isNaN, constant(0x7fc0), rounded);
  Value halves = arith::TruncIOp::create(k, type.clone(k.getIntegerType(16)), rounded);
  return arith::BitcastOp::create(k, type.clone(k.getBF16Type()), halves);
}

Value KernelBuilder::narrow(Value vector, Type element) {
  if (element.isF32())
    return vector;
  if (element.isBF16())
    return narrowToBFloat(*this, vector);
  return arith::TruncFOp::create(*this, cast<VectorType>(vector.getType()).clone(element), vector);
}

Value KernelBuilder::allocate(Value tokens, ArrayRef<int64_t> trailing) {
  std::optional<int64_t> known = getConstantIntValue(tokens);
  SmallVector<int64_t> shape = {known ? *known : ShapedType::kDynamic};
  shape.append(trailing.begin(), trailing.end());
  auto type = MemRefType::get(shape, getF32Type());
  return memref::AllocOp::create(*this, type, known ? ValueRange() : ValueRange(tokens),
                                 getI64IntegerAttr(64));
}
void KernelBuilder::free(Value memref) { memref::DeallocOp::create(*this, memref); }

KernelBuilder::Values KernelBuilder::loop(Value begin, Value end, int64_t step, ValueRange inits,
                                          function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, begin, end, index(step), inits,
                                 [&](OpBuilder &, Location, Value iv, ValueRange values) {
                                   // Filled below, through this builder.
                                 });
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToEnd(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(*this, next);
  return Values(loop.getResults());
}

void KernelBuilder::loop(Value begin, Value end, int64_t step, function_ref<void(Value)> body) {
  loop(begin, end, step, ValueRange(), [&](Value i, ValueRange) -> Values {
    body(i);
    return {};
  });
}

KernelBuilder::Values
KernelBuilder::overColumns(Value base, int64_t extent, int64_t lanes, ValueRange inits,
                           function_ref<Values(Value, int64_t, ValueRange)> body, int64_t unroll) {
  Values values(inits);
  int64_t whole = extent / lanes * lanes;
  if (whole / lanes <= unroll) {
    for (int64_t column = 0; column < whole; column += lanes)
      values = body(add(base, column), lanes, values);
  } else {
    values = loop(base, add(base, whole), lanes, values,
                  [&](Value column, ValueRange state) { return body(column, lanes, state); });
  }
  if (whole < extent)
    values = body(add(base, whole), extent - whole, values);
  return values;
}

void KernelBuilder::overColumns(int64_t extent, int64_t lanes,
                                function_ref<void(Value, int64_t)> body) {
  overColumns(index(0), extent, lanes, ValueRange(),
              [&](Value column, int64_t count, ValueRange) -> Values {
                body(column, count);
                return {};
              });
}

void KernelBuilder::overTokens(Value tokens, int64_t most,
                               function_ref<void(ArrayRef<Value>)> body) {
  std::optional<int64_t> known = getConstantIntValue(tokens);
  auto singles = [&] { loop(index(0), tokens, 1, [&](Value token) { body(token); }); };
  auto blocks = [&] {
    Value last = createOrFold<arith::SubIOp>(tokens, index(most));
    loop(index(0), tokens, most, [&](Value i) {
      Value first = min(i, last);
      Values several;
      for (int64_t t = 0; t < most; ++t)
        several.push_back(add(first, t));
      body(several);
    });
  };
  if (known)
    return *known == 1 ? body(index(0)) : *known < most ? singles() : blocks();
  Value few = arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, tokens, index(most));
  auto branch = scf::IfOp::create(*this, few, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  singles();
  setInsertionPointToStart(branch.elseBlock());
  blocks();
}

void KernelBuilder::overRows(Value end, int64_t rowsAtOnce,
                             function_ref<void(Value row, int64_t rows)> body) {
  Value whole = mul(floorDiv(end, rowsAtOnce), rowsAtOnce);
  loop(index(0), whole, rowsAtOnce, [&](Value row) { body(row, rowsAtOnce); });
  loop(whole, end, 1, [&](Value row) { body(row, 1); });
}

KernelBuilder::Values KernelBuilder::accumulate(Value end, Values sums, int64_t rows,
                                                function_ref<Value(Value, int64_t)> factor,
                                                function_ref<Value(Value, int64_t)> vector) {
  int64_t vectors = static_cast<int64_t>(sums.size()) / rows;
  return loop(index(0), end, 1, sums, [&](Value i, ValueRange before) {
    Values after, row;
    for (int64_t v = 0; v < vectors; ++v)
      row.push_back(vector(i, v));
    for (int64_t r = 0; r < rows; ++r) {
      Value scale = factor(i, r);
      for (int64_t v = 0; v < vectors; ++v)
        after.push_back(fma(scale, row[v], before[r * vectors + v]));
    }
    return after;
  });
}

// Fetching a piece costs 0.3 us, one thread after the other (benchmarks/schedule.c): pieces shrink
// as a loop ends, but not below 2 us of work.
Value KernelBuilder::getChunk(Value count, Value work) {
  constexpr int64_t kLeastWork = 1 << 17;
  Value least = mul(count, std::min(kLeastWork, target.minParallelWork));
  Value one = index(1);
  Value iterations = createOrFold<arith::DivUIOp>(least, createOrFold<arith::MaxUIOp>(work, one));
  return createOrFold<arith::MaxUIOp>(iterations, one);
}

void KernelBuilder::parallel(Value count, Value work, function_ref<void(Value)> body) {
  std::optional<int64_t> known = getConstantIntValue(work);
  if (!target.threads || (known && *known < target.minParallelWork))
    return loop(index(0), count, 1, body);

  omp::ParallelOperands clauses;
  if (!known)
    clauses.ifExpr = arith::CmpIOp::create(*this, arith::CmpIPredicate::sge, work,
                                           index(target.minParallelWork));
  Value zero = index(0), one = index(1);
  Value chunk = target.dynamicSchedule ? getChunk(count, work) : nullptr;
  auto region = omp::ParallelOp::create(*this, clauses);
  OpBuilder::InsertionGuard guard(*this);
  createBlock(&region.getRegion());
  omp::WsloopOperands sharing;
  if (target.dynamicSchedule) {
    sharing.scheduleKind =
        omp::ClauseScheduleKindAttr::get(getContext(), omp::ClauseScheduleKind::Guided);
    sharing.scheduleChunk = chunk;
  }
  auto share = omp::WsloopOp::create(*this, sharing);
  omp::TerminatorOp::create(*this);
  createBlock(&share.getRegion());
  omp::LoopNestOperands bounds;
  bounds.loopLowerBounds = {zero};
  bounds.loopUpperBounds = {count};
  bounds.loopSteps = {one};
  auto nest = omp::LoopNestOp::create(*this, bounds);
  Block *block = createBlock(&nest.getRegion(), {}, {getIndexType()}, {getLoc()});
  body(block->getArgument(0));
  omp::YieldOp::create(*this, ValueRange());
}

int64_t KernelBuilder::lanesFor(int64_t columns) const {
  return std::min<int64_t>(target.vectorWidth, llvm::bit_floor(std::max<uint64_t>(columns, 1)));
}
