//===- AttentionBlocks.cpp - Attention of many tokens by dpas -------------===//
//
// A work-group has a query head and 64 tokens, a sub-group 8 of these. Blocks of 64 keys and values
// pass through the work-group's memory as f16 (relative error 2^-11); scores, the softmax in one
// pass (arXiv 1805.02867) and sums are f32. Weights of the softmax are at most 1 and rounded to f16
// as well, both in the weighted values and in their sum.
//
//===----------------------------------------------------------------------===//

#include "AttentionCache.h"
#include "Emitters.h"
#include "Halves.h"
#include "MatrixBlocks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

static constexpr int64_t kRows = MatrixBlocks::kRows, kLanes = XeBuilder::kLanes;
/// Rows of keys and values at a time, and tokens of a work-group.
static constexpr int64_t kBlock = kRows * XeBuilder::kSubgroups;
static constexpr int64_t kColumnBlocks = kBlock / kLanes;

namespace {

class AttentionBlocksEmitter {
public:
  AttentionBlocksEmitter(LaunchScope &scope, AttentionOp op, GroupIndex at);
  void run();

private:
  void stage(Value first, Value end, AttentionCache::Load key, AttentionCache::Load value);
  /// The state is the largest score of each row, the sums of weights and the weighted values, all
  /// vector<8xf32>, of which the first two are the same in all lanes.
  Values takeBlock(Value first, Value end, ValueRange state);
  Values getScores(Value first, Value end);
  Value takeMost(Value most, ArrayRef<Value> scores);
  void attend();

  VectorType getType() { return VectorType::get({kRows}, k.getF32Type()); }
  Value zeros() { return splat(k, k.f32(0), kRows); }
  Value exp(Value numbers) { return math::ExpOp::create(k, numbers); }
  /// A vector of what is made of each row's number.
  Value eachRow(function_ref<Value(int64_t)> make) {
    Values rows;
    for (int64_t i = 0; i < kRows; ++i)
      rows.push_back(make(i));
    return vector::FromElementsOp::create(k, getType(), rows);
  }

  LaunchScope &scope;
  XeBuilder &k;
  AttentionOp op;
  AttentionCache cache;
  int64_t tiles;
  /// Tokens of the work-group and of the sub-group.
  Value tokens, groupFirst, first;
  /// [rows, columns]; [row blocks, tiles, lanes, rows of a block]
  HalfBlocks keys, values;
  Values queries;
};

} // namespace

AttentionBlocksEmitter::AttentionBlocksEmitter(LaunchScope &scope, AttentionOp op, GroupIndex at)
    : scope(scope), k(scope.k), op(op), cache(scope, op, at.group), tiles(cache.headDim / kLanes),
      tokens(scope.countTokens(op.getQuery())), groupFirst(at.token),
      first(k.add(at.token, k.mul(k.subgroup, kRows))), keys(k, {kBlock, cache.headDim}),
      values(k, {kColumnBlocks, tiles, kLanes, kLanes}) {}

/// Rows past the end are the last one, whose weights will be 0.
void AttentionBlocksEmitter::stage(Value blockFirst, Value end, AttentionCache::Load key,
                                   AttentionCache::Load value) {
  Value firstRow = k.mul(k.subgroup, kRows), last = k.add(end, -1);
  Values rows;
  for (int64_t i = 0; i < kRows; ++i)
    rows.push_back(k.min(k.add(blockFirst, k.add(firstRow, i)), last));
  Value block = k.floorDiv(k.subgroup, kLanes / kRows);
  Value at = k.mul(k.rem(k.subgroup, kLanes / kRows), kRows);
  for (int64_t tile = 0; tile < tiles; ++tile) {
    Value inHead = k.add(k.lane, tile * kLanes), column = k.add(cache.keyColumn, inHead);
    for (int64_t i = 0; i < kRows; ++i)
      keys.storeNumber(key(rows[i], column), {k.add(firstRow, i), inHead});
    Value numbers = eachRow([&](int64_t i) { return value(rows[i], column); });
    values.store(roundToHalves(k, numbers), {block, k.index(tile), k.lane, at});
  }
}

/// Scores that the softmax leaves out are kLeastScore.
Values AttentionBlocksEmitter::getScores(Value blockFirst, Value end) {
  Values scores;
  Value scale = splat(k, k.f32(op.getScale().convertToFloat()), kRows);
  for (int64_t block = 0; block < kColumnBlocks; ++block) {
    Value column = k.add(k.lane, block * kLanes), row = k.add(blockFirst, column);
    Value products = zeros();
    for (int64_t tile = 0; tile < tiles; ++tile)
      products = multiplyBlocks(k, queries[tile],
                                keys.load({column, k.index(tile * kLanes)}, kLanes), products);
    products = k.mulf(products, scale);
    scores.push_back(eachRow([&](int64_t i) {
      Value own = k.add(cache.position, k.add(first, i));
      Value isSeen = k.both(k.isLess(row, end), k.isLess(row, k.add(own, 1)));
      if (int64_t window = op.getWindow())
        isSeen = k.both(isSeen, k.isLess(own, k.add(row, window)));
      Value score = vector::ExtractOp::create(k, products, i);
      return k.select(isSeen, score, k.f32(AttentionCache::kLeastScore));
    }));
  }
  return scores;
}

Value AttentionBlocksEmitter::takeMost(Value most, ArrayRef<Value> scores) {
  Value largest = scores[0];
  for (Value other : scores.drop_front())
    largest = arith::MaximumFOp::create(k, largest, other);
  Value ofRows = eachRow([&](int64_t i) {
    return k.reduceSubgroup(
        vector::ExtractOp::create(k, largest, i),
        [&](Value a, Value b) -> Value { return arith::MaximumFOp::create(k, a, b); });
  });
  return arith::MaximumFOp::create(k, most, ofRows);
}

Values AttentionBlocksEmitter::takeBlock(Value blockFirst, Value end, ValueRange state) {
  Values scores = getScores(blockFirst, end);
  Value most = takeMost(state[0], scores), fade = exp(k.subf(state[0], most));
  Value least = splat(k, k.f32(AttentionCache::kLeastScore), kRows);
  Value one = arith::ConstantOp::create(k, k.getF16FloatAttr(1)), ones = splat(k, one, kLanes);
  Values next = {most};
  for (Value before : state.drop_front())
    next.push_back(k.mulf(before, fade));
  for (auto [block, score] : llvm::enumerate(scores)) {
    // Where a row sees nothing yet, its largest score is the least one itself.
    Value isSeen = arith::CmpFOp::create(k, arith::CmpFPredicate::UNE, score, least);
    Value weights = k.select(isSeen, exp(k.subf(score, most)), zeros());
    Value halves = roundToHalves(k, weights);
    next[1] = multiplyBlocks(k, halves, ones, next[1]);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      Value columns = values.load(
          {k.index(static_cast<int64_t>(block)), k.index(tile), k.lane, k.index(0)}, kLanes);
      next[2 + tile] = multiplyBlocks(k, halves, columns, next[2 + tile]);
    }
  }
  return next;
}

void AttentionBlocksEmitter::attend() {
  MatrixBlocks query(k, *scope.getPlace(op.getQuery()), tokens,
                     cast<RankedTensorType>(op.getQuery().getType()).getDimSize(1), kLanes);
  for (int64_t tile = 0; tile < tiles; ++tile)
    queries.push_back(query.load(first, k.add(cache.queryColumn, tile * kLanes)));
  // What the group's tokens see together.
  Value begin = k.index(0), own = k.add(cache.position, groupFirst);
  if (int64_t window = op.getWindow())
    begin = arith::MaxSIOp::create(k, begin, k.add(own, 1 - window));
  Value end = k.min(k.add(own, kBlock), k.add(cache.position, tokens));
  Values state(2 + tiles, zeros());
  state[0] = splat(k, k.f32(AttentionCache::kLeastScore), kRows);
  cache.overRows(begin, end,
                 [&](Value begin, Value end, AttentionCache::Load key, AttentionCache::Load value) {
                   state = k.loop(begin, end, k.index(kBlock), state,
                                  [&](Value row, ValueRange before) {
                                    stage(row, end, key, value);
                                    k.barrier();
                                    Values next = takeBlock(row, end, before);
                                    // The next block takes its place.
                                    k.barrier();
                                    return next;
                                  });
                 });
  for (int64_t tile = 0; tile < tiles; ++tile) {
    Value y = k.divf(state[2 + tile], state[1]);
    for (int64_t i = 0; i < kRows; ++i) {
      Value t = k.add(first, i), column = k.add(cache.queryColumn, k.add(k.lane, tile * kLanes));
      k.ifThen(k.isLess(t, tokens), [&] {
        scope.store(op.getResult(), {t, column}, vector::ExtractOp::create(k, y, i));
      });
    }
  }
}

void AttentionBlocksEmitter::run() {
  cache.ifRoom(groupFirst, kBlock, [&] {
    cache.append(groupFirst, kBlock);
    attend();
  });
}

std::optional<Grid> ssm::getAttentionBlocksGrid(AttentionOp op) {
  // Registers hold the query and the weighted values.
  constexpr int64_t most = 128;
  auto headDim = static_cast<int64_t>(op.getHeadDim());
  if (headDim % kLanes != 0 || headDim > most || !liesInMemory(op.getQuery()))
    return std::nullopt;
  return Grid{AttentionCache::countHeads(op.getQuery(), headDim), kBlock};
}

void ssm::emitAttentionBlocks(LaunchScope &scope, AttentionOp op, GroupIndex at) {
  AttentionBlocksEmitter(scope, op, at).run();
}
