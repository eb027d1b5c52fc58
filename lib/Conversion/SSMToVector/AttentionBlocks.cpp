//===- AttentionBlocks.cpp - Attention of a prompt by blocks --------------===//

#include "AttentionBlocks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;

/// Any score is above this, and it is finite, so that differences are no NaN.
static constexpr float kLowest = -3.0e38f;

AttentionBlocks::AttentionBlocks(KernelBuilder &k, AttentionOp::Adaptor op, Value result,
                                 Value position)
    : k(k), op(op), result(result), position(position), tokens(k.dim(op.getQuery(), 0)),
      headDim(op.getHeadDim()) {
  queryHeads = cast<MemRefType>(op.getQuery().getType()).getDimSize(1) / headDim;
  cacheHeads = cast<MemRefType>(op.getKey().getType()).getDimSize(1) / headDim;
  lanes = k.lanesFor(headDim);
  keyLanes = k.lanesFor(keysOfBlock);
  if (headDim % lanes)
    return;
  // Sums of a tile are at most half of the registers: 32 of AVX-512, 16 of AVX2.
  int64_t most = k.target.vectorWidth >= 16 ? 4 : 2, vectors = headDim / lanes;
  for (int64_t divisor = 1; divisor <= most; ++divisor)
    if (vectors % divisor == 0)
      vectorsOfBlock = divisor;
}

Value AttentionBlocks::beginOf(Value t) {
  if (!op.getWindow())
    return k.index(0);
  Value begin = arith::SubIOp::create(k, endOf(t), k.index(op.getWindow()));
  return arith::MaxSIOp::create(k, k.index(0), begin);
}

/// Rows behind `last` repeat it, and have no weight.
void AttentionBlocks::transposeKeys(Value row, Value last, Value column) {
  k.loop(k.index(0), k.index(keysOfBlock), lanes, [&](Value first) {
    k.loop(k.index(0), k.index(headDim), lanes, [&](Value d) {
      Values rows;
      for (int64_t r = 0; r < lanes; ++r)
        rows.push_back(k.load(op.getKeyCache(),
                              {k.min(k.add(k.add(row, first), r), last), k.add(column, d)}, lanes));
      for (auto [i, vector] : llvm::enumerate(k.transpose(rows)))
        k.store(vector, keys, {k.add(d, i), first});
    });
  });
}

/// Scores of some queries against the keys of a block become weights, and fades and totals follow.
void AttentionBlocks::weighTile(Value first, Value head, Value row, Value query, int64_t rows) {
  int64_t vectors = keysOfBlock / keyLanes, most = k.target.vectorWidth >= 16 ? 4 : 2;
  Value queryColumn = k.mul(head, headDim), zero = k.index(0);
  Value scale = k.splat(k.f32(op.getScale().convertToFloat()), keyLanes);
  Value lowest = k.splat(k.f32(kLowest), keyLanes);
  auto token = [&](int64_t r) { return k.add(k.add(first, query), r); };
  Values tops(rows, lowest);
  for (int64_t part = 0; part < vectors; part += most) {
    int64_t some = std::min(most, vectors - part);
    auto keyOf = [&](int64_t v) { return k.index((part + v) * keyLanes); };
    Values scores = k.accumulate(
        k.index(headDim), Values(rows * some, k.zeros(keyLanes)), rows,
        [&](Value d, int64_t r) {
          return splat(op.getQuery(), {token(r), k.add(queryColumn, d)}, keyLanes);
        },
        [&](Value d, int64_t v) { return k.load(keys, {d, keyOf(v)}, keyLanes); });
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < some; ++v) {
        Value score = arith::MulFOp::create(k, scores[r * some + v], scale);
        score = arith::SelectOp::create(k, isVisible(row, keyOf(v), token(r)), score, lowest);
        tops[r] = arith::MaximumFOp::create(k, tops[r], score);
        k.store(score, weights, {k.add(query, r), keyOf(v)});
      }
  }
  for (int64_t r = 0; r < rows; ++r) {
    Value place = k.add(query, r), before = k.loadScalar(largest, {zero, place});
    Value top = arith::MaximumFOp::create(k, before, k.maxLanes(tops[r]));
    Value fade = math::ExpOp::create(k, arith::SubFOp::create(k, before, top).getResult());
    Value highest = k.splat(top, keyLanes), added = k.zeros(keyLanes);
    for (int64_t v = 0; v < vectors; ++v) {
      Value key = k.index(v * keyLanes), score = k.load(weights, {place, key}, keyLanes);
      Value weight = math::ExpOp::create(k, arith::SubFOp::create(k, score, highest).getResult());
      // Where nothing is visible yet, the largest is the lowest.
      weight = arith::SelectOp::create(k, isVisible(row, key, token(r)), weight, k.zeros(keyLanes));
      added = arith::AddFOp::create(k, added, weight);
      k.store(weight, weights, {place, key});
    }
    Value total = arith::MulFOp::create(k, k.loadScalar(totals, {zero, place}), fade);
    total = arith::AddFOp::create(k, total, k.sumLanes(added));
    k.storeScalar(top, largest, {zero, place});
    k.storeScalar(fade, fades, {zero, place});
    k.storeScalar(total, totals, {zero, place});
  }
}

/// Which keys of a vector the token attends to.
Value AttentionBlocks::isVisible(Value row, Value key, Value t) {
  Type i32 = k.getI32Type();
  SmallVector<int32_t> numbers;
  for (int64_t i = 0; i < keyLanes; ++i)
    numbers.push_back(static_cast<int32_t>(i));
  Value lane = arith::ConstantOp::create(
      k, DenseElementsAttr::get(VectorType::get({keyLanes}, i32), ArrayRef<int32_t>(numbers)));
  // Relative to the first lane's row, so that 32 bits are enough.
  auto isBefore = [&](Value end) -> Value {
    Value distance = arith::SubIOp::create(k, end, k.add(row, key));
    distance = arith::MaxSIOp::create(k, k.index(0), k.min(distance, k.index(keyLanes)));
    Value limit = k.splat(arith::IndexCastOp::create(k, i32, distance), keyLanes);
    return arith::CmpIOp::create(k, arith::CmpIPredicate::slt, lane, limit);
  };
  Value visible = isBefore(endOf(t));
  if (!op.getWindow())
    return visible;
  Value hidden = isBefore(beginOf(t));
  Value all = arith::ConstantOp::create(
      k, DenseElementsAttr::get(cast<VectorType>(hidden.getType()), true));
  return arith::AndIOp::create(k, visible, arith::XOrIOp::create(k, hidden, all).getResult());
}

/// `count` keys are visible to the last of the queries.
void AttentionBlocks::addValues(Value row, Value count, Value query, int64_t rows, Value column) {
  k.loop(k.index(0), k.index(headDim), vectorsOfBlock * lanes, [&](Value d) {
    auto place = [&](int64_t r, int64_t v) -> Values {
      return {k.add(query, r), k.add(d, v * lanes)};
    };
    Values weighted;
    for (int64_t r = 0; r < rows; ++r) {
      Value fade = splat(fades, {k.index(0), k.add(query, r)}, lanes);
      for (int64_t v = 0; v < vectorsOfBlock; ++v)
        weighted.push_back(arith::MulFOp::create(k, k.load(sums, place(r, v), lanes), fade));
    }
    weighted = k.accumulate(
        count, weighted, rows,
        [&](Value j, int64_t r) { return splat(weights, {k.add(query, r), j}, lanes); },
        [&](Value j, int64_t v) {
          return k.load(op.getValueCache(), {k.add(row, j), k.add(column, k.add(d, v * lanes))},
                        lanes);
        });
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectorsOfBlock; ++v)
        k.store(weighted[r * vectorsOfBlock + v], sums, place(r, v));
  });
}

void AttentionBlocks::storeOutput(Value first, Value head, Value query) {
  Value total = splat(totals, {k.index(0), query}, lanes);
  k.overColumns(headDim, lanes, [&](Value d, int64_t) {
    Value y = arith::DivFOp::create(k, k.load(sums, {query, d}, lanes), total);
    k.store(y, result, {k.add(first, query), k.add(k.mul(head, headDim), d)});
  });
}

void AttentionBlocks::block(Value first, Value head) {
  Value one = k.index(1), zero = k.index(0);
  keys = k.allocate(k.index(headDim), {keysOfBlock});
  weights = k.allocate(k.index(queriesOfBlock), {keysOfBlock});
  sums = k.allocate(k.index(queriesOfBlock), {headDim});
  largest = k.allocate(one, {queriesOfBlock});
  totals = k.allocate(one, {queriesOfBlock});
  fades = k.allocate(one, {queriesOfBlock});
  Value count = k.min(k.index(queriesOfBlock), arith::SubIOp::create(k, tokens, first).getResult());
  Value lastToken = arith::SubIOp::create(k, k.add(first, count), one);
  Value end = endOf(lastToken), lastRow = arith::SubIOp::create(k, end, one);
  Value column = k.mul(k.floorDiv(head, queryHeads / cacheHeads), headDim);
  k.loop(zero, count, 1, [&](Value query) {
    k.storeScalar(k.f32(kLowest), largest, {zero, query});
    k.storeScalar(k.f32(0), totals, {zero, query});
    k.overColumns(headDim, lanes,
                  [&](Value d, int64_t) { k.store(k.zeros(lanes), sums, {query, d}); });
  });
  k.loop(beginOf(first), end, keysOfBlock, [&](Value row) {
    transposeKeys(row, lastRow, column);
    k.overRows(count, tileRows, [&](Value query, int64_t rows) {
      weighTile(first, head, row, query, rows);
      Value visible = arith::SubIOp::create(k, endOf(k.add(k.add(first, query), rows - 1)), row);
      visible = k.min(visible, k.index(keysOfBlock));
      addValues(row, visible, query, rows, column);
    });
  });
  k.loop(zero, count, 1, [&](Value query) { storeOutput(first, head, query); });
  for (Value buffer : {keys, weights, sums, largest, totals, fades})
    k.free(buffer);
}

void AttentionBlocks::run() {
  Value blocks = k.floorDiv(k.add(tokens, queriesOfBlock - 1), queriesOfBlock);
  Value work = k.mul(k.mul(tokens, endOf(tokens)), 2 * queryHeads * headDim);
  // All blocks of a head, whose work grows with their rows, before the next head.
  k.parallel(k.mul(blocks, queryHeads), work, [&](Value task) {
    Value head = arith::DivUIOp::create(k, task, blocks);
    Value number = arith::RemUIOp::create(k, task, blocks);
    block(k.mul(number, queriesOfBlock), head);
  });
}
