//===- SSDChunks.h - Mamba-2 scan by matrix products ------------*- C++ -*-===//
//
// The chunked form of the scan (arXiv 2405.21060, section 6). In a chunk of tokens that starts with
// the state S, with D[k,j] = exp(sum of dt a over (j, k]):
//   y[k] = exp(sum of dt a over [0, k]) S c[k] + sum_{j <= k} D[k,j] (c[k] . b[j]) dt[j] x[j] + d
//   x[k]
// and the next state is the same of the last token without c: about two multiply-adds for an
// element of the state and a token, where the recurrence takes three. Sums of log decays run over
// the tokens between two, so that no decay is lost in a difference of long sums.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_SSDCHUNKS_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_SSDCHUNKS_H

#include "WideHead.h"

namespace mlir::ssm {

class SSDChunks {
public:
  SSDChunks(KernelBuilder &k, SSDScanOp::Adaptor op, Value result);

  /// Tokens from which on chunks are faster than the recurrence.
  static constexpr int64_t fewestTokens = 48;
  /// Whether the shape suits: heads that fill vectors.
  bool isSuitable() const { return vectorsOfBlock != 0; }
  void run();

private:
  using Values = KernelBuilder::Values;
  /// Tokens of a chunk.
  static constexpr int64_t length = 32;

  void prepareProducts();
  void head(Value head);
  void prepareDecays(Value head, Value first, Value count);
  void weighInput(Value head, Value first, Value count);
  void outputs(Value head, Value first, Value count, Value column);
  void outputTile(Value head, Value first, Value row, int64_t rows, Value column);
  void nextState(Value head, Value first, Value count, Value column);
  void nextStateTile(Value group, Value first, Value count, Value n, int64_t rows, Value column);
  void transpose(const WideHead &wide, bool isLoad);
  Value splat(Value buffer, ValueRange indices);
  int64_t lanesOf(int64_t v) const { return std::min(lanes, headDim - v * lanes); }

  KernelBuilder &k;
  SSDScanOp::Adaptor op;
  Value result, tokens;
  int64_t heads, headDim, states, groups, lanes, vectorsOfBlock = 0;
  /// Per token, c . b of the tokens of its chunk, for each group; of all heads.
  Value products;
  /// Of one head and chunk: the state in f32, N x P, weights of the tokens j for the outputs k,
  /// decays since the start of the chunk, weights for the next state, and the input by these.
  Value state, weights, decays, lastWeights, weighed;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_SSDCHUNKS_H
