//===- ConvTest.cpp - Causal depthwise convolution ------------------------===//

#include "ssmq/Kernels/Conv.h"

#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

TEST(CausalConv1d, HandComputed) {
  // One channel, taps (1, 10, 100): the newest row takes the last tap.
  Tensor x = tensor({2, 1}, {3, 4}), weight = tensor({1, 1, 3}, {1, 10, 100});
  Tensor state = tensor({2, 1}, {1, 2});
  for (KernelOptions options : {reference, fast}) {
    ConvResult result = causalConv1d(x, weight, tensor({1}, {1000}), state, options);
    expectSameBits(result.y, tensor({2, 1}, {1321, 1432}));
    expectSameBits(result.state, x);
    expectSameBits(state, tensor({2, 1}, {1, 2}));
  }
}

TEST(CausalConv1d, FastMatchesReferenceAndChunksMatchWhole) {
  for (int64_t tokens : {1, 3, 17})
    for (int64_t taps : {1, 2, 3, 4}) {
      int64_t channels = 21;
      Tensor x = random(1, {tokens, channels}), weight = random(2, {channels, 1, taps});
      Tensor bias = random(3, {channels}), state = random(4, {taps - 1, channels});
      ConvResult expected = causalConv1d(x, weight, bias, state, reference);
      ConvResult actual = causalConv1d(x, weight, bias, state, fast);
      expectClose(actual.y, expected.y, 1e-6);
      expectSameBits(actual.state, expected.state);
      expectSameBits(causalConv1d(x, weight, bias, state, fastThreaded).y, actual.y);
      expectClose(causalConv1d(x, weight, Tensor(), state, fast).y,
                  causalConv1d(x, weight, Tensor(), state, reference).y, 1e-6);
      for (KernelOptions options : {reference, fast}) {
        int64_t cut = tokens / 3;
        ConvResult head = causalConv1d(rows(x, 0, cut), weight, bias, state, options);
        ConvResult tail = causalConv1d(rows(x, cut, tokens), weight, bias, head.state, options);
        ConvResult whole = causalConv1d(x, weight, bias, state, options);
        expectSameBits(concatRows(head.y, tail.y), whole.y);
        expectSameBits(tail.state, whole.state);
      }
    }
}
