//===- SelectiveScanTest.cpp - Mamba-1 selective scan ---------------------===//

#include "ssmq/Kernels/SelectiveScan.h"

#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

namespace {

struct Inputs {
  Tensor x, dt, a, b, c, dSkip, state;

  Inputs(int64_t tokens, int64_t channels, int64_t width)
      : x(random(1, {tokens, channels})), dt(random(2, {tokens, channels}, 0, 2)),
        a(random(3, {channels, width}, -8, -0.1f)), b(random(4, {tokens, width})),
        c(random(5, {tokens, width})), dSkip(random(6, {channels})),
        state(random(7, {channels, width})) {}

  SelectiveScanResult run(KernelOptions options) const {
    return selectiveScan(x, dt, a, b, c, dSkip, state, options);
  }
  SelectiveScanResult runRows(int64_t begin, int64_t end, const Tensor &from,
                              KernelOptions options) const {
    return selectiveScan(rows(x, begin, end), rows(dt, begin, end), a, rows(b, begin, end),
                         rows(c, begin, end), dSkip, from, options);
  }
};

} // namespace

TEST(SelectiveScan, HandComputed) {
  // exp(dt * a) = 1/2: h = 4/2 + 1*3*2 = 8, then 8/2 + 1*1*2 = 6; y = c h + dSkip x.
  float half = -std::log(2.0f);
  for (KernelOptions options : {reference, fast}) {
    SelectiveScanResult result =
        selectiveScan(tensor({2, 1}, {2, 2}), tensor({2, 1}, {1, 1}), tensor({1, 1}, {half}),
                      tensor({2, 1}, {3, 1}), tensor({2, 1}, {10, 100}), tensor({1}, {5}),
                      tensor({1, 1}, {4}), options);
    expectClose(result.y, tensor({2, 1}, {90, 610}), 1e-6);
    expectClose(result.state, tensor({1, 1}, {6}), 1e-6);
  }
}

TEST(SelectiveScan, FastMatchesReferenceAndChunksMatchWhole) {
  for (int64_t tokens : {1, 3, 17})
    for (int64_t width : {1, 16, 24, 96})
      for (int64_t channels : {8, 21}) {
        Inputs inputs(tokens, channels, width);
        SelectiveScanResult expected = inputs.run(reference), actual = inputs.run(fast);
        expectClose(actual.y, expected.y, 2e-6);
        expectClose(actual.state, expected.state, 2e-6);
        expectSameBits(inputs.run(fastThreaded).y, actual.y);
        inputs.dSkip = Tensor();
        expectClose(inputs.run(fast).y, inputs.run(reference).y, 2e-6);
        for (KernelOptions options : {reference, fast}) {
          int64_t cut = tokens / 3;
          SelectiveScanResult head = inputs.runRows(0, cut, inputs.state, options);
          SelectiveScanResult tail = inputs.runRows(cut, tokens, head.state, options);
          SelectiveScanResult whole = inputs.run(options);
          expectClose(concatRows(head.y, tail.y), whole.y, 1e-6);
          expectClose(tail.state, whole.state, 1e-6);
        }
      }
}

TEST(SelectiveScan, StrongDecayStaysExact) {
  // Cumulative decays underflow after a few tokens; a form that divides by them would give NaN.
  Inputs inputs(40, 8, 16);
  inputs.a = random(3, {8, 16}, -80, -60);
  inputs.dt = random(2, {40, 8}, 1, 2);
  expectClose(inputs.run(fast).y, inputs.run(reference).y, 2e-6);
}
