//===- AttentionBlocks.h - Attention of a prompt by blocks ------*- C++ -*-===//
//
// Queries of a head are taken `queriesOfBlock` at a time against `keysOfBlock` rows of the caches
// (arXiv 2205.14135): scores are a product with the keys, transposed once a block, exponentials are
// taken a vector at a time, and sums of values are a second product. The running maximum, sum of
// exponentials and weighted values of each query are rescaled when a block raises its maximum.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_ATTENTIONBLOCKS_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_ATTENTIONBLOCKS_H

#include "KernelBuilder.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

namespace mlir::ssm {

class AttentionBlocks {
public:
  /// `position` is the first token's row of the caches, which hold the new rows already.
  AttentionBlocks(KernelBuilder &k, AttentionOp::Adaptor op, Value result, Value position);

  /// Tokens from which on blocks are faster than single queries.
  static constexpr int64_t fewestTokens = 8;
  /// Whether the shape suits: heads that fill vectors.
  bool isSuitable() const { return vectorsOfBlock != 0; }
  void run();

private:
  using Values = KernelBuilder::Values;
  static constexpr int64_t queriesOfBlock = 32, keysOfBlock = 64, tileRows = 4;

  void block(Value first, Value head);
  void transposeKeys(Value row, Value last, Value column);
  void weighTile(Value first, Value head, Value row, Value query, int64_t rows);
  Value isVisible(Value row, Value key, Value t);
  void addValues(Value row, Value count, Value query, int64_t rows, Value column);
  void storeOutput(Value first, Value head, Value query);
  /// The rows [begin, end) of the caches that a token attends to.
  Value beginOf(Value t);
  Value endOf(Value t) { return k.add(k.add(position, t), 1); }
  Value splat(Value buffer, ValueRange indices, int64_t count) {
    return k.splat(k.loadScalar(buffer, indices), count);
  }

  KernelBuilder &k;
  AttentionOp::Adaptor op;
  Value result, position, tokens;
  int64_t headDim, queryHeads, cacheHeads, lanes, keyLanes, vectorsOfBlock = 0;
  /// Of a block: keys transposed, weights of the keys for each query, weighted values, and the
  /// largest score, the sum of exponentials and the next factor of each query.
  Value keys, weights, sums, largest, totals, fades;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_ATTENTIONBLOCKS_H
