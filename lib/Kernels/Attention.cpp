//===- Attention.cpp - Causal attention over a key/value cache ------------===//

#include "ssmq/Kernels/Attention.h"

#include "Simd.h"
#include "ssmq/Kernels/Gemm.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace ssmq;
using namespace ssmq::simd;

namespace {
struct Heads {
  const float *q, *keys, *values;
  float *out;
  int64_t tokens, queryHeads, cacheHeads;
  AttentionParams params;

  int64_t queryStride() const { return queryHeads * params.headDim; }
  int64_t cacheStride() const { return cacheHeads * params.headDim; }
  int64_t cacheOffset(int64_t head) const {
    return head / (queryHeads / cacheHeads) * params.headDim;
  }
  /// Token t attends to cache rows [getBegin(t), getEnd(t)).
  int64_t getEnd(int64_t t) const { return params.position + t + 1; }
  int64_t getBegin(int64_t t) const {
    return params.window > 0 ? std::max<int64_t>(0, getEnd(t) - params.window) : 0;
  }
};
} // namespace

static void attendReference(const Heads &heads, int64_t head, int64_t t) {
  int64_t dim = heads.params.headDim, begin = heads.getBegin(t), end = heads.getEnd(t);
  const float *q = heads.q + t * heads.queryStride() + head * dim;
  const float *keys = heads.keys + heads.cacheOffset(head);
  const float *values = heads.values + heads.cacheOffset(head);
  llvm::SmallVector<double, 0> weights(end - begin);
  double largest = -std::numeric_limits<double>::infinity(), total = 0;
  for (int64_t row = begin; row < end; ++row) {
    double score = 0;
    for (int64_t i = 0; i < dim; ++i)
      score += static_cast<double>(q[i]) * keys[row * heads.cacheStride() + i];
    weights[row - begin] = score * heads.params.scale;
    largest = std::max(largest, weights[row - begin]);
  }
  for (double &weight : weights) {
    weight = std::exp(weight - largest);
    total += weight;
  }
  for (int64_t i = 0; i < dim; ++i) {
    double sum = 0;
    for (int64_t row = begin; row < end; ++row)
      sum += weights[row - begin] * values[row * heads.cacheStride() + i];
    heads.out[t * heads.queryStride() + head * dim + i] = static_cast<float>(sum / total);
  }
}

/// Replaces scores by exp(scale * (score - largest)) and returns one over their sum.
static float softmaxRow(float *scores, int64_t n, float scale) {
  float largest = simd::max(scores, n);
  map(scores, scores, n, [=](Float8 v) { return exp((v - largest) * scale); });
  return 1.0f / reduce(scores, n, [](Float8 v) { return v; });
}

namespace {
constexpr int64_t queryTile = 64;
} // namespace

/// Tokens [first, first + count) of one head: scores by GEMM against all rows that any of them
/// sees, rows a token does not see set to weight zero.
static void attendFast(const Heads &heads, int64_t head, int64_t first, int64_t count) {
  int64_t dim = heads.params.headDim;
  int64_t begin = heads.getBegin(first), length = heads.getEnd(first + count - 1) - begin;
  int64_t cacheStart = begin * heads.cacheStride() + heads.cacheOffset(head);
  int64_t queryStart = first * heads.queryStride() + head * dim;
  llvm::SmallVector<float, 0> scores;
  scores.resize_for_overwrite(count * length);
  gemmTransposed({heads.q + queryStart, heads.queryStride()},
                 {heads.keys + cacheStart, heads.cacheStride()}, {scores.data(), length},
                 {count, length, dim});
  float inverse[queryTile];
  for (int64_t i = 0; i < count; ++i) {
    float *row = scores.data() + i * length;
    int64_t from = heads.getBegin(first + i) - begin, to = heads.getEnd(first + i) - begin;
    std::fill(row, row + from, 0.0f);
    inverse[i] = softmaxRow(row + from, to - from, heads.params.scale);
    std::fill(row + to, row + length, 0.0f);
  }
  float *out = heads.out + queryStart;
  gemm({scores.data(), length}, {heads.values + cacheStart, heads.cacheStride()},
       {out, heads.queryStride()}, {count, dim, length});
  for (int64_t i = 0; i < count; ++i) {
    float *row = out + i * heads.queryStride();
    map(row, row, dim, [&](Float8 v) { return v * inverse[i]; });
  }
}

static Tensor writeRows(const Tensor &cache, const Tensor &rows, int64_t position) {
  Tensor result = cache.clone();
  llvm::copy(rows.data<float>(), result.mutableData<float>().begin() + position * cache.getDim(1));
  return result;
}

llvm::Expected<AttentionResult> ssmq::attention(const Tensor &q, const Tensor &k, const Tensor &v,
                                                const Tensor &keyCache, const Tensor &valueCache,
                                                const AttentionParams &params,
                                                const KernelOptions &options) {
  int64_t tokens = q.getDim(0), capacity = keyCache.getDim(0);
  if (params.position < 0 || tokens > capacity || params.position > capacity - tokens)
    return llvm::createStringError(llvm::Twine(tokens) + " tokens at position " +
                                   llvm::Twine(params.position) +
                                   " do not fit a key/value cache of " + llvm::Twine(capacity) +
                                   " rows; use a larger cache or a shorter prompt");
  AttentionResult result = {Tensor::empty(DType::F32, q.getShape()),
                            writeRows(keyCache, k, params.position),
                            writeRows(valueCache, v, params.position)};
  Heads heads = {q.data<float>().data(),
                 result.keyCache.data<float>().data(),
                 result.valueCache.data<float>().data(),
                 result.out.mutableData<float>().data(),
                 tokens,
                 q.getDim(1) / params.headDim,
                 k.getDim(1) / params.headDim,
                 params};
  bool fast = options.set == KernelSet::Fast;
  int64_t tile = fast ? queryTile : 1, tiles = (tokens + tile - 1) / tile;
  parallelFor(options.threads, heads.queryHeads * tiles, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t head = i / tiles, first = i % tiles * tile;
      if (fast)
        attendFast(heads, head, first, std::min(tile, tokens - first));
      else
        attendReference(heads, head, first);
    }
  });
  return result;
}
