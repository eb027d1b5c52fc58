//===- LinearTest.cpp - Dense layers --------------------------------------===//

#include "ssmq/Kernels/Linear.h"

#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

TEST(Linear, HandComputed) {
  Tensor x = tensor({2, 2}, {1, 2, 3, 4}), weight = tensor({3, 2}, {1, 0, 0, 1, 1, -1});
  Tensor bias = tensor({3}, {10, 20, 30});
  for (KernelOptions options : {reference, fast}) {
    expectSameBits(linear(x, weight, bias, options), tensor({2, 3}, {11, 22, 29, 13, 24, 29}));
    expectSameBits(linear(x, weight, Tensor(), options), tensor({2, 3}, {1, 2, -1, 3, 4, -1}));
  }
}

TEST(Linear, FastMatchesReference) {
  for (int64_t tokens : {1, 3, 17})
    for (int64_t in : {5, 64}) {
      Tensor x = random(1, {tokens, in}), weight = random(2, {37, in}), bias = random(3, {37});
      Tensor expected = linear(x, weight, bias, reference);
      Tensor actual = linear(x, weight, bias, fast);
      expectClose(actual, expected, 1e-5);
      expectSameBits(linear(x, weight, bias, fastThreaded), actual);
    }
}
