//===- AttentionEmitter.cpp - Causal attention over a cache ---------------===//

#include "AttentionBlocks.h"
#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Values = KernelBuilder::Values;

/// Softmax in one pass over the rows (arXiv 1805.02867): the running maximum, sum of exponentials
/// and weighted sum of values are rescaled when a block of rows raises the maximum.
class AttentionEmitter {
public:
  AttentionEmitter(KernelBuilder &k, AttentionOp::Adaptor op, Value result);
  void run();

private:
  void appendRows(Value rows, Value cache);
  void attendAll(Value end);
  void attend(Value t, Value head);
  Values blockOfRows(ArrayRef<Value> query, Value row, int64_t rows, Value column,
                     ValueRange state);

  KernelBuilder &k;
  AttentionOp::Adaptor op;
  Value result, tokens, position;
  int64_t headDim, queryHeads, cacheHeads, lanes;
  /// Start and length of each vector of a head.
  SmallVector<std::pair<int64_t, int64_t>> chunks;
};

} // namespace

AttentionEmitter::AttentionEmitter(KernelBuilder &k, AttentionOp::Adaptor op, Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getQuery(), 0)), headDim(op.getHeadDim()) {
  queryHeads = cast<MemRefType>(op.getQuery().getType()).getDimSize(1) / headDim;
  cacheHeads = cast<MemRefType>(op.getKey().getType()).getDimSize(1) / headDim;
  lanes = k.lanesFor(headDim);
  for (int64_t at = 0; at < headDim; at += lanes)
    chunks.push_back({at, std::min(lanes, headDim - at)});
}

void AttentionEmitter::appendRows(Value rows, Value cache) {
  int64_t width = cacheHeads * headDim;
  k.loop(k.index(0), tokens, 1, [&](Value t) {
    k.overColumns(width, k.lanesFor(width), [&](Value column, int64_t count) {
      k.store(k.load(rows, {t, column}, count), cache, {k.add(position, t), column});
    });
  });
}

/// `state` is the maximum, the sum and the weighted values.
Values AttentionEmitter::blockOfRows(ArrayRef<Value> query, Value row, int64_t rows, Value column,
                                     ValueRange state) {
  auto load = [&](Value cache, int64_t r, std::pair<int64_t, int64_t> chunk) {
    return k.pad(k.load(cache, {k.add(row, r), k.add(column, chunk.first)}, chunk.second), lanes);
  };
  Values dots(rows, k.zeros(lanes));
  for (int64_t r = 0; r < rows; ++r)
    for (auto [q, chunk] : llvm::zip_equal(query, chunks))
      dots[r] = k.fma(q, load(op.getKeyCache(), r, chunk), dots[r]);
  Value scale = k.splat(k.f32(op.getScale().convertToFloat()), rows);
  Value scores = arith::MulFOp::create(k, k.sumEach(dots), scale);

  Value largest = arith::MaximumFOp::create(k, state[0], k.maxLanes(scores));
  Value weights =
      math::ExpOp::create(k, arith::SubFOp::create(k, scores, k.splat(largest, rows)).getResult());
  Value fade = math::ExpOp::create(k, arith::SubFOp::create(k, state[0], largest).getResult());
  Value total = arith::AddFOp::create(k, arith::MulFOp::create(k, state[1], fade).getResult(),
                                      k.sumLanes(weights));
  Values next = {largest, total};
  for (auto [i, chunk] : llvm::enumerate(chunks)) {
    Value sum = arith::MulFOp::create(k, state[2 + i], k.splat(fade, lanes));
    for (int64_t r = 0; r < rows; ++r)
      sum = k.fma(k.splat(k.extract(weights, r), lanes), load(op.getValueCache(), r, chunk), sum);
    next.push_back(sum);
  }
  return next;
}

void AttentionEmitter::attend(Value t, Value head) {
  Value queryColumn = k.mul(head, headDim);
  Value column = k.mul(k.floorDiv(head, queryHeads / cacheHeads), headDim);
  Value end = k.add(k.add(position, t), 1), begin = k.index(0);
  if (int64_t window = op.getWindow())
    begin = arith::MaxSIOp::create(k, begin,
                                   arith::SubIOp::create(k, end, k.index(window)).getResult());
  Values query;
  for (auto [start, count] : chunks)
    query.push_back(k.pad(k.load(op.getQuery(), {t, k.add(queryColumn, start)}, count), lanes));

  // Any score is above this, and it is finite, so that differences are no NaN.
  Values state = {k.f32(-3.0e38f), k.f32(0.0f)};
  state.append(chunks.size(), k.zeros(lanes));
  constexpr int64_t rows = 8;
  Value length = arith::SubIOp::create(k, end, begin);
  Value whole = k.add(begin, k.mul(k.floorDiv(length, rows), rows));
  state = k.loop(begin, whole, rows, state, [&](Value row, ValueRange before) {
    return blockOfRows(query, row, rows, column, before);
  });
  state = k.loop(whole, end, 1, state, [&](Value row, ValueRange before) {
    return blockOfRows(query, row, 1, column, before);
  });
  for (auto [i, chunk] : llvm::enumerate(chunks)) {
    Value y = arith::DivFOp::create(k, state[2 + i], k.splat(state[1], lanes));
    k.store(k.slice(y, 0, chunk.second), result, {t, k.add(queryColumn, chunk.first)});
  }
}

void AttentionEmitter::attendAll(Value end) {
  auto singles = [&] {
    Value work = k.mul(k.mul(tokens, end), 2 * queryHeads * headDim);
    k.parallel(k.mul(tokens, queryHeads), work,
               [&](Value i) { attend(k.floorDiv(i, queryHeads), k.rem(i, queryHeads)); });
  };
  AttentionBlocks blocks(k, op, result, position);
  if (getConstantIntValue(tokens) == 1 || !blocks.isSuitable())
    return singles();
  Value isLong = arith::CmpIOp::create(k, arith::CmpIPredicate::sge, tokens,
                                       k.index(AttentionBlocks::fewestTokens));
  auto branch = scf::IfOp::create(k, isLong, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(k);
  k.setInsertionPointToStart(branch.thenBlock());
  blocks.run();
  k.setInsertionPointToStart(branch.elseBlock());
  singles();
}

void AttentionEmitter::run() {
  position = arith::IndexCastOp::create(
      k, k.getIndexType(), memref::LoadOp::create(k, op.getPosition(), ValueRange()).getResult());
  Value end = k.add(position, tokens);
  // Callers keep within the capacity; past it nothing may be written, and the result is NaN. A
  // negative position is large as an unsigned number.
  Value capacity = k.dim(op.getKeyCache(), 0);
  Value fits = arith::AndIOp::create(
      k, arith::CmpIOp::create(k, arith::CmpIPredicate::ule, position, capacity).getResult(),
      arith::CmpIOp::create(k, arith::CmpIPredicate::ule, end, capacity).getResult());
  auto branch = scf::IfOp::create(k, fits, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(k);
    k.setInsertionPointToStart(branch.thenBlock());
    appendRows(op.getKey(), op.getKeyCache());
    appendRows(op.getValue(), op.getValueCache());
    attendAll(end);
    k.setInsertionPointToStart(branch.elseBlock());
    int64_t width = queryHeads * headDim;
    k.loop(k.index(0), tokens, 1, [&](Value t) {
      k.overColumns(width, k.lanesFor(width), [&](Value column, int64_t count) {
        k.store(k.splat(k.f32(std::nanf("")), count), result, {t, column});
      });
    });
  }
}

void mlir::ssm::emit(KernelBuilder &k, AttentionOp::Adaptor op, ValueRange results) {
  AttentionEmitter(k, op, results.front()).run();
}
