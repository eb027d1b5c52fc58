//===- Attention.cpp - Causal attention over a cache ----------------------===//
//
// A work-group has a query head of a token. Its sub-groups share the keys and take the softmax in
// one pass (arXiv 1805.02867); what they found is merged at the end.
//
//===----------------------------------------------------------------------===//

#include "AttentionCache.h"
#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

namespace {

class AttentionEmitter {
public:
  AttentionEmitter(LaunchScope &scope, AttentionOp op, GroupIndex at);
  void run();

private:
  using Load = AttentionCache::Load;

  void attend();
  Values overRows(Value begin, Value end, Load key, Load value, ValueRange state);
  Values takeRows(Value first, Value end, Load key, Load value, ValueRange state);
  void merge(ValueRange state);
  /// The lane's column of a head in a chunk; the last one for lanes past it.
  Value inHead(int64_t chunk);

  LaunchScope &scope;
  XeBuilder &k;
  AttentionOp op;
  AttentionCache cache;
  Value t;
  int64_t headDim, chunks;
  Values query;
};

} // namespace

static constexpr float kLeastScore = AttentionCache::kLeastScore;

AttentionEmitter::AttentionEmitter(LaunchScope &scope, AttentionOp op, GroupIndex at)
    : scope(scope), k(scope.k), op(op), cache(scope, op, at.group), t(at.token),
      headDim(cache.headDim), chunks(llvm::divideCeilSigned(headDim, XeBuilder::kLanes)) {}

Value AttentionEmitter::inHead(int64_t chunk) {
  Value column = k.add(k.lane, chunk * XeBuilder::kLanes);
  return (chunk + 1) * XeBuilder::kLanes > headDim ? k.min(column, k.index(headDim - 1)) : column;
}

/// Rows [first, end), at most `kRows` of them.
static constexpr int64_t kRows = 4;

Values AttentionEmitter::takeRows(Value first, Value end, Load key, Load value, ValueRange state) {
  Value last = k.add(end, -1), most = state[0];
  Values rows, isInside, scores;
  for (int64_t r = 0; r < kRows; ++r) {
    Value row = k.add(first, r);
    isInside.push_back(k.isLess(row, end));
    rows.push_back(k.min(row, last));
    Value dot = k.f32(0);
    for (int64_t i = 0; i < chunks; ++i)
      dot = k.fma(query[i], key(rows[r], k.add(cache.keyColumn, inHead(i))), dot);
    Value score = k.mulf(k.sumSubgroup(dot), k.f32(op.getScale().convertToFloat()));
    scores.push_back(k.select(isInside[r], score, k.f32(kLeastScore)));
    most = arith::MaximumFOp::create(k, most, scores[r]);
  }
  Value fade = k.exp(k.subf(state[0], most)), total = k.mulf(state[1], fade);
  Values sums, weights;
  for (int64_t i = 0; i < chunks; ++i)
    sums.push_back(k.mulf(state[2 + i], fade));
  for (int64_t r = 0; r < kRows; ++r) {
    Value weight = k.select(isInside[r], k.exp(k.subf(scores[r], most)), k.f32(0));
    total = k.addf(total, weight);
    for (int64_t i = 0; i < chunks; ++i)
      sums[i] = k.fma(weight, value(rows[r], k.add(cache.keyColumn, inHead(i))), sums[i]);
  }
  Values next = {most, total};
  llvm::append_range(next, sums);
  return next;
}

Values AttentionEmitter::overRows(Value begin, Value end, Load key, Load value, ValueRange state) {
  return k.loop(
      k.add(begin, k.mul(k.subgroup, kRows)), end, k.index(XeBuilder::kSubgroups * kRows), state,
      [&](Value row, ValueRange before) { return takeRows(row, end, key, value, before); });
}

/// `state` is the sub-group's maximum, its sum of weights and its weighted values.
void AttentionEmitter::merge(ValueRange state) {
  Place mosts = k.local(k.getF32Type(), {XeBuilder::kSubgroups});
  Place totals = k.local(k.getF32Type(), {XeBuilder::kSubgroups});
  Place sums = k.local(k.getF32Type(), {XeBuilder::kSubgroups, chunks * XeBuilder::kLanes});
  k.ifThen(k.isEqual(k.lane, k.index(0)), [&] {
    k.store(state[0], mosts, k.subgroup);
    k.store(state[1], totals, k.subgroup);
  });
  for (int64_t i = 0; i < chunks; ++i)
    k.store(state[2 + i], sums, {k.subgroup, k.add(k.lane, i * XeBuilder::kLanes)});
  k.barrier();
  Value most = k.f32(kLeastScore), total = k.f32(0);
  Values factors;
  for (int64_t s = 0; s < XeBuilder::kSubgroups; ++s)
    most = arith::MaximumFOp::create(k, most, k.load(mosts, k.index(s)));
  for (int64_t s = 0; s < XeBuilder::kSubgroups; ++s) {
    factors.push_back(k.exp(k.subf(k.load(mosts, k.index(s)), most)));
    total = k.fma(k.load(totals, k.index(s)), factors[s], total);
  }
  k.overColumns(headDim, [&](Value column) {
    Value sum = k.f32(0);
    for (int64_t s = 0; s < XeBuilder::kSubgroups; ++s)
      sum = k.fma(k.load(sums, {k.index(s), column}), factors[s], sum);
    scope.store(op.getResult(), {t, k.add(cache.queryColumn, column)}, k.divf(sum, total));
  });
}

void AttentionEmitter::attend() {
  for (int64_t i = 0; i < chunks; ++i) {
    Value number = scope.load(op.getQuery(), {t, k.add(cache.queryColumn, inHead(i))});
    Value isInside = k.isLess(k.add(k.lane, i * XeBuilder::kLanes), k.index(headDim));
    query.push_back(k.select(isInside, number, k.f32(0)));
  }
  Value end = k.add(k.add(cache.position, t), 1), begin = k.index(0);
  if (int64_t window = op.getWindow())
    begin = arith::MaxSIOp::create(k, begin, k.add(end, -window));
  Values state = {k.f32(kLeastScore), k.f32(0)};
  state.append(chunks, k.f32(0));
  cache.overRows(begin, end, [&](Value begin, Value end, Load key, Load value) {
    state = overRows(begin, end, key, value, state);
  });
  merge(state);
}

void AttentionEmitter::run() {
  cache.ifRoom(t, 1, [&] {
    cache.append(t, 1);
    attend();
  });
}

Grid ssm::getAttentionGrid(AttentionOp op) {
  return {AttentionCache::countHeads(op.getQuery(), static_cast<int64_t>(op.getHeadDim())), 1};
}

void ssm::emitAttention(LaunchScope &scope, AttentionOp op, GroupIndex at) {
  AttentionEmitter(scope, op, at).run();
}
