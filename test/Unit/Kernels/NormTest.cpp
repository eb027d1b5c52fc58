//===- NormTest.cpp - Normalisation ---------------------------------------===//

#include "ssmq/Kernels/Norm.h"

#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

TEST(RMSNorm, HandComputed) {
  // Mean squares: 12.5 over the pair (3, 4), 25 over (5, 5).
  Tensor x = tensor({1, 4}, {3, 4, 5, 5}), weight = tensor({4}, {1, 2, 1, 4});
  float root = std::sqrt(12.5f);
  for (KernelOptions options : {reference, fast})
    expectClose(rmsNorm(x, weight, 0, 2, options), tensor({1, 4}, {3 / root, 8 / root, 1, 4}),
                1e-6);
}

TEST(RMSNorm, EpsIsInsideTheRoot) {
  for (KernelOptions options : {reference, fast})
    expectClose(rmsNorm(tensor({1, 1}, {1}), tensor({1}, {1}), 3, 1, options),
                tensor({1, 1}, {0.5f}), 1e-6);
}

TEST(LayerNorm, HandComputed) {
  Tensor x = tensor({1, 4}, {1, 1, 3, 3}), weight = tensor({4}, {1, 2, 1, 2});
  for (KernelOptions options : {reference, fast}) {
    expectClose(layerNorm(x, weight, tensor({4}, {0, 0, 0, 10}), 0, options),
                tensor({1, 4}, {-1, -2, 1, 12}), 1e-6);
    expectClose(layerNorm(x, weight, Tensor(), 0, options), tensor({1, 4}, {-1, -2, 1, 2}), 1e-6);
  }
}

TEST(Norm, FastMatchesReference) {
  for (int64_t tokens : {1, 3, 17})
    for (int64_t groups : {1, 2}) {
      int64_t width = 46;
      // An offset much larger than the spread: a one-pass variance would lose it.
      Tensor x = random(1, {tokens, width}, 99, 101), weight = random(2, {width});
      Tensor bias = random(3, {width});
      Tensor rms = rmsNorm(x, weight, 1e-5, groups, fast);
      expectClose(rms, rmsNorm(x, weight, 1e-5, groups, reference), 1e-6);
      expectSameBits(rmsNorm(x, weight, 1e-5, groups, fastThreaded), rms);
      Tensor layer = layerNorm(x, weight, bias, 1e-5, fast);
      expectClose(layer, layerNorm(x, weight, bias, 1e-5, reference), 1e-5);
      expectSameBits(layerNorm(x, weight, bias, 1e-5, fastThreaded), layer);
    }
}
