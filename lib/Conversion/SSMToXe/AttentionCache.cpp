//===- AttentionCache.cpp - Keys and values of attention ------------------===//

#include "AttentionCache.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

int64_t AttentionCache::countHeads(Value rows, int64_t headDim) {
  return cast<RankedTensorType>(rows.getType()).getDimSize(1) / headDim;
}

AttentionCache::AttentionCache(LaunchScope &scope, AttentionOp op, Value head)
    : headDim(op.getHeadDim()), scope(scope), k(scope.k), op(op),
      readers(countHeads(op.getQuery(), headDim) / countHeads(op.getKey(), headDim)), head(head) {
  position =
      arith::IndexCastOp::create(k, k.getIndexType(), scope.load(op.getPosition(), ValueRange()));
  queryColumn = k.mul(head, headDim);
  keyColumn = k.mul(k.floorDiv(head, readers), headDim);
}

void AttentionCache::overTokens(Value first, int64_t count, function_ref<void(Value)> body) {
  if (count == 1)
    return body(first);
  Value end = k.min(k.add(first, count), scope.countTokens(op.getQuery()));
  k.loop(first, end, k.index(1), body);
}

void AttentionCache::ifRoom(Value first, int64_t count, function_ref<void()> body) {
  // A negative position is large as an unsigned number.
  auto type = cast<RankedTensorType>(op.getKeyCache().getType());
  Value capacity =
      type.isDynamicDim(0) ? scope.getPlace(op.getKeyCache())->rows : k.index(type.getDimSize(0));
  auto fitsIn = [&](Value end) -> Value {
    return arith::CmpIOp::create(k, arith::CmpIPredicate::ule, end, capacity);
  };
  Value fits = k.both(fitsIn(position), fitsIn(k.add(position, scope.countTokens(op.getQuery()))));
  k.ifThen(fits, body, [&] {
    overTokens(first, count, [&](Value t) {
      k.overColumns(headDim, [&](Value column) {
        scope.store(op.getResult(), {t, k.add(queryColumn, column)}, k.f32(std::nanf("")));
      });
    });
  });
}

void AttentionCache::append(Value first, int64_t count) {
  const Place *keys = scope.getOutput(op.getNextKeyCache());
  const Place *values = scope.getOutput(op.getNextValueCache());
  k.ifThen(k.isEqual(k.rem(head, readers), k.index(0)), [&] {
    overTokens(first, count, [&](Value t) {
      k.overColumns(headDim, [&](Value i) {
        Value row = k.add(position, t), column = k.add(keyColumn, i);
        if (keys)
          k.store(scope.load(op.getKey(), {t, column}), *keys, {row, column});
        if (values)
          k.store(scope.load(op.getValue(), {t, column}), *values, {row, column});
      });
    });
  });
}

void AttentionCache::overRows(Value begin, Value end,
                              function_ref<void(Value, Value, Load, Load)> body) {
  auto cached = [&](Value cache) {
    return [this, cache](Value row, Value column) { return scope.load(cache, {row, column}); };
  };
  auto given = [&](Value rows) {
    return [this, rows](Value row, Value column) {
      Value own = arith::SubIOp::create(k, row, position);
      return scope.load(rows, {own, column});
    };
  };
  body(begin, position, cached(op.getKeyCache()), cached(op.getValueCache()));
  body(arith::MaxSIOp::create(k, begin, position), end, given(op.getKey()), given(op.getValue()));
}
