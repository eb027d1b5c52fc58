//===- RotaryTest.cpp - Rotary position embedding -------------------------===//

#include "ssmq/Kernels/Rotary.h"

#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

TEST(Rotary, HandComputed) {
  // rotaryDim 4 of 5, theta 100: angles are pos and pos / 10; channel i pairs with i + 2.
  Tensor x = tensor({1, 5}, {1, 2, 3, 4, 5});
  double first = 3, second = 0.3;
  std::vector<float> expected = {static_cast<float>(std::cos(first) - 3 * std::sin(first)),
                                 static_cast<float>(2 * std::cos(second) - 4 * std::sin(second)),
                                 static_cast<float>(3 * std::cos(first) + std::sin(first)),
                                 static_cast<float>(4 * std::cos(second) + 2 * std::sin(second)),
                                 5};
  for (KernelOptions options : {reference, fast})
    expectClose(rotary(x, 3, 5, 100, 4, options), tensor({1, 5}, expected), 1e-6);
}

TEST(Rotary, PositionZeroIsIdentity) {
  Tensor x = random(1, {1, 24});
  for (KernelOptions options : {reference, fast})
    expectSameBits(rotary(x, 0, 12, 1e4, 12, options), x);
}

TEST(Rotary, FastMatchesReferenceAndChunksMatchWhole) {
  for (int64_t tokens : {1, 3, 17})
    for (int64_t rotaryDim : {0, 10, 34}) {
      Tensor x = random(1, {tokens, 2 * 34});
      Tensor actual = rotary(x, 4000, 34, 1e4, rotaryDim, fast);
      expectClose(actual, rotary(x, 4000, 34, 1e4, rotaryDim, reference), 1e-6);
      expectSameBits(rotary(x, 4000, 34, 1e4, rotaryDim, fastThreaded), actual);
      int64_t cut = tokens / 3;
      expectSameBits(concatRows(rotary(rows(x, 0, cut), 4000, 34, 1e4, rotaryDim, fast),
                                rotary(rows(x, cut, tokens), 4000 + cut, 34, 1e4, rotaryDim, fast)),
                     actual);
    }
}
