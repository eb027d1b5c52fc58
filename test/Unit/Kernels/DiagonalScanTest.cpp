//===- DiagonalScanTest.cpp - S4D's diagonal complex recurrence -----------===//

#include "ssmq/Kernels/DiagonalScan.h"

#include "KernelTestUtils.h"
#include <complex>

using namespace ssmq;
using namespace ssmq::testing;

namespace {

struct Inputs {
  Tensor x, a, b, c, d, state;

  Inputs(int64_t tokens, int64_t heads, int64_t states)
      : x(random(1, {tokens, heads})), a(random(2, {heads, 2 * states}, -0.7f, 0.7f)),
        b(random(3, {heads, 2 * states})), c(random(4, {heads, 2 * states})), d(random(5, {heads})),
        state(random(6, {heads, 2 * states})) {}

  DiagonalScanResult run(KernelOptions options) const {
    return diagonalScan(x, a, b, c, d, state, options);
  }
};

std::complex<double> at(const Tensor &tensor, int64_t i) {
  return {tensor.data<float>()[2 * i], tensor.data<float>()[2 * i + 1]};
}

} // namespace

/// By the sum that the recurrence unrolls to: y[t] = 2 Re(sum_k c a^(t-k) b x[k]) + d x[t].
TEST(DiagonalScan, IsAConvolution) {
  constexpr int64_t tokens = 9, states = 3;
  Inputs inputs(tokens, 1, states);
  inputs.state = Tensor::zeros(DType::F32, {1, 2 * states});
  auto x = inputs.x.data<float>();
  std::vector<float> expected;
  for (int64_t t = 0; t < tokens; ++t) {
    double y = inputs.d.data<float>()[0] * x[t];
    for (int64_t n = 0; n < states; ++n)
      for (int64_t k = 0; k <= t; ++k)
        y += 2 * (at(inputs.c, n) * std::pow(at(inputs.a, n), double(t - k)) * at(inputs.b, n) *
                  double(x[k]))
                     .real();
    expected.push_back(static_cast<float>(y));
  }
  for (KernelOptions options : {reference, fast})
    expectClose(inputs.run(options).y, Tensor::fromData<float>({tokens, 1}, expected), 2e-6);
}

TEST(DiagonalScan, FastMatchesReferenceAndChunksMatchWhole) {
  for (int64_t tokens : {1, 3, 17})
    for (int64_t states : {1, 5, 8, 32})
      for (int64_t heads : {1, 6}) {
        Inputs inputs(tokens, heads, states);
        DiagonalScanResult expected = inputs.run(reference), actual = inputs.run(fast);
        expectClose(actual.y, expected.y, 4e-6);
        expectClose(actual.state, expected.state, 4e-6);
        expectSameBits(inputs.run(fastThreaded).y, actual.y);
        for (KernelOptions options : {reference, fast}) {
          int64_t cut = tokens / 3;
          DiagonalScanResult head = diagonalScan(rows(inputs.x, 0, cut), inputs.a, inputs.b,
                                                 inputs.c, inputs.d, inputs.state, options);
          DiagonalScanResult tail = diagonalScan(rows(inputs.x, cut, tokens), inputs.a, inputs.b,
                                                 inputs.c, inputs.d, head.state, options);
          expectClose(tail.state, expected.state, 4e-6);
        }
        inputs.d = Tensor();
        expectClose(inputs.run(fast).y, inputs.run(reference).y, 4e-6);
      }
}

/// A hook that doubles the state after each token is seen by the next one alone.
TEST(DiagonalScan, HookActsBetweenTokens) {
  Inputs inputs(2, 2, 3);
  auto twice = [](llvm::MutableArrayRef<float> state) {
    for (float &value : state)
      value *= 2;
  };
  for (KernelOptions options : {reference, fast}) {
    DiagonalScanResult first = diagonalScan(rows(inputs.x, 0, 1), inputs.a, inputs.b, inputs.c,
                                            inputs.d, inputs.state, options);
    twice(first.state.mutableData<float>());
    DiagonalScanResult second = diagonalScan(rows(inputs.x, 1, 2), inputs.a, inputs.b, inputs.c,
                                             inputs.d, first.state, options);
    DiagonalScanResult both = diagonalScan(inputs.x, inputs.a, inputs.b, inputs.c, inputs.d,
                                           inputs.state, options, twice);
    expectSameBits(rows(both.y, 1, 2), second.y);
    expectSameBits(rows(both.y, 0, 1), first.y);
  }
}
