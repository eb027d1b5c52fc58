//===- AttentionTest.cpp - Causal attention over a key/value cache --------===//

#include "ssmq/Kernels/Attention.h"

#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

namespace {

struct Inputs {
  Tensor q, k, v, keyCache, valueCache;

  Inputs(int64_t tokens, int64_t queryHeads, int64_t cacheHeads, int64_t headDim, int64_t capacity)
      : q(random(1, {tokens, queryHeads * headDim}, -3, 3)),
        k(random(2, {tokens, cacheHeads * headDim}, -3, 3)),
        v(random(3, {tokens, cacheHeads * headDim})),
        keyCache(random(4, {capacity, cacheHeads * headDim})),
        valueCache(random(5, {capacity, cacheHeads * headDim})) {}

  AttentionResult run(const AttentionParams &params, KernelOptions options) const {
    return llvm::cantFail(attention(q, k, v, keyCache, valueCache, params, options));
  }
};

} // namespace

TEST(Attention, HandComputed) {
  // Keys are zero, so every visible row has equal weight and the output is a running mean.
  Tensor q = tensor({3, 1}, {1, 1, 1}), k = Tensor::zeros(DType::F32, {3, 1});
  Tensor v = tensor({3, 1}, {2, 4, 9}), cache = Tensor::zeros(DType::F32, {5, 1});
  for (KernelOptions options : {reference, fast}) {
    AttentionParams params = {/*position=*/1, /*headDim=*/1, /*scale=*/1, /*window=*/0};
    AttentionResult all = llvm::cantFail(attention(q, k, v, cache, cache, params, options));
    expectClose(all.out, tensor({3, 1}, {1, 2, 3.75f}), 1e-6);
    expectSameBits(all.valueCache, tensor({5, 1}, {0, 2, 4, 9, 0}));
    expectSameBits(cache, Tensor::zeros(DType::F32, {5, 1}));
    params.window = 2;
    AttentionResult two = llvm::cantFail(attention(q, k, v, cache, cache, params, options));
    expectClose(two.out, tensor({3, 1}, {1, 3, 6.5f}), 1e-6);
  }
}

TEST(Attention, SoftmaxIsStable) {
  Tensor q = tensor({2, 1}, {1e4f, 1e4f}), k = tensor({2, 1}, {-1e4f, 1e4f});
  Tensor v = tensor({2, 1}, {1, 2}), cache = Tensor::zeros(DType::F32, {2, 1});
  for (KernelOptions options : {reference, fast})
    expectSameBits(llvm::cantFail(attention(q, k, v, cache, cache, {0, 1, 1, 0}, options)).out,
                   tensor({2, 1}, {1, 2}));
}

TEST(Attention, RefusesMoreTokensThanTheCacheHolds) {
  Inputs inputs(3, 1, 1, 2, 8);
  for (int64_t position : {int64_t(-1), int64_t(6), INT64_MAX}) {
    llvm::Expected<AttentionResult> result =
        attention(inputs.q, inputs.k, inputs.v, inputs.keyCache, inputs.valueCache,
                  {position, 2, 1, 0}, fast);
    ASSERT_FALSE(static_cast<bool>(result));
    std::string message = llvm::toString(result.takeError());
    EXPECT_NE(message.find("3 tokens at position " + std::to_string(position)), std::string::npos);
    EXPECT_NE(message.find("8 rows"), std::string::npos);
  }
}

TEST(Attention, FastMatchesReferenceAndChunksMatchWhole) {
  for (int64_t tokens : {1, 3, 17, 70})
    for (int64_t cacheHeads : {1, 2, 4})
      for (int64_t window : {0, 1, 5}) {
        int64_t headDim = 12, position = 7, cut = tokens / 3;
        Inputs inputs(tokens, 4, cacheHeads, headDim, position + tokens);
        AttentionParams params = {position, headDim, 0.3f, window};
        AttentionResult expected = inputs.run(params, reference);
        AttentionResult actual = inputs.run(params, fast);
        expectClose(actual.out, expected.out, 1e-5);
        expectSameBits(actual.keyCache, expected.keyCache);
        expectSameBits(inputs.run(params, fastThreaded).out, actual.out);

        AttentionResult head = llvm::cantFail(
            attention(rows(inputs.q, 0, cut), rows(inputs.k, 0, cut), rows(inputs.v, 0, cut),
                      inputs.keyCache, inputs.valueCache, params, fast));
        params.position += cut;
        AttentionResult tail = llvm::cantFail(
            attention(rows(inputs.q, cut, tokens), rows(inputs.k, cut, tokens),
                      rows(inputs.v, cut, tokens), head.keyCache, head.valueCache, params, fast));
        expectClose(concatRows(head.out, tail.out), expected.out, 1e-5);
        expectSameBits(tail.keyCache, expected.keyCache);
        expectSameBits(tail.valueCache, expected.valueCache);
      }
}
