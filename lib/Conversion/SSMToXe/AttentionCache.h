//===- AttentionCache.h - Keys and values of attention ----------*- C++ -*-===//
//
// Rows count from the first of the cache. Those of this call are read from the inputs, as other
// work-groups are writing them into the cache.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_ATTENTIONCACHE_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_ATTENTIONCACHE_H

#include "LaunchScope.h"

namespace mlir::ssm {

class AttentionCache {
public:
  /// Of a query head.
  AttentionCache(LaunchScope &scope, AttentionOp op, Value head);

  /// Any score is above this, and it is finite, so that differences are no NaN.
  static constexpr float kLeastScore = -3.0e38f;
  static int64_t countHeads(Value rows, int64_t headDim);

  /// Calls `body` where the caches have room for the tokens of the call; elsewhere nothing may be
  /// written, and the results of `count` tokens from `first` on are NaN.
  void ifRoom(Value first, int64_t count, function_ref<void()> body);
  /// Writes the rows of tokens into the caches; the first of the query heads that share them does.
  void append(Value first, int64_t count);

  /// Loads a number of a row's column.
  using Load = function_ref<Value(Value row, Value column)>;
  /// Calls body(begin, end, key, value) for rows [begin, end) of the cache, and for those of the
  /// call.
  void overRows(Value begin, Value end, function_ref<void(Value, Value, Load, Load)> body);

  const int64_t headDim;
  Value position;
  /// Where the columns of the head begin, in the query and in keys and values.
  Value queryColumn, keyColumn;

private:
  void overTokens(Value first, int64_t count, function_ref<void(Value)> body);

  LaunchScope &scope;
  XeBuilder &k;
  AttentionOp op;
  int64_t readers;
  Value head;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_ATTENTIONCACHE_H
