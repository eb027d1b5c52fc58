//===- SSDScanTest.cpp - Mamba-2 state space duality scan -----------------===//

#include "ssmq/Kernels/SSDScan.h"

#include "KernelTestUtils.h"
#include "ssmq/Kernels/SelectiveScan.h"

using namespace ssmq;
using namespace ssmq::testing;

namespace {

struct Inputs {
  int64_t groups;
  Tensor x, dt, a, b, c, dSkip, state;

  Inputs(int64_t tokens, int64_t heads, int64_t headDim, int64_t width, int64_t groups)
      : groups(groups), x(random(1, {tokens, heads * headDim})),
        dt(random(2, {tokens, heads}, 0, 2)), a(random(3, {heads}, -8, -0.1f)),
        b(random(4, {tokens, groups * width})), c(random(5, {tokens, groups * width})),
        dSkip(random(6, {heads})), state(random(7, {heads, headDim, width})) {}

  SSDScanResult run(KernelOptions options) const {
    return ssdScan(x, dt, a, b, c, dSkip, state, groups, options);
  }
  SSDScanResult runRows(int64_t begin, int64_t end, const Tensor &from,
                        KernelOptions options) const {
    return ssdScan(rows(x, begin, end), rows(dt, begin, end), a, rows(b, begin, end),
                   rows(c, begin, end), dSkip, from, groups, options);
  }
};

} // namespace

TEST(SSDScan, EqualsSelectiveScanWithSharedDecay) {
  // One group: spreading dt, A and D over each head's rows turns Mamba-2 into Mamba-1.
  int64_t tokens = 5, heads = 3, headDim = 2, width = 4, channels = heads * headDim;
  Inputs inputs(tokens, heads, headDim, width, 1);
  Tensor dt = Tensor::empty(DType::F32, {tokens, channels});
  Tensor a = Tensor::empty(DType::F32, {channels, width});
  Tensor dSkip = Tensor::empty(DType::F32, {channels});
  for (int64_t d = 0; d < channels; ++d) {
    for (int64_t t = 0; t < tokens; ++t)
      dt.mutableData<float>()[t * channels + d] = inputs.dt.data<float>()[t * heads + d / headDim];
    for (int64_t n = 0; n < width; ++n)
      a.mutableData<float>()[d * width + n] = inputs.a.data<float>()[d / headDim];
    dSkip.mutableData<float>()[d] = inputs.dSkip.data<float>()[d / headDim];
  }
  SelectiveScanResult expected = selectiveScan(inputs.x, dt, a, inputs.b, inputs.c, dSkip,
                                               inputs.state.reshape({channels, width}), reference);
  for (KernelOptions options : {reference, fast}) {
    SSDScanResult actual = inputs.run(options);
    expectClose(actual.y, expected.y, 2e-6);
    expectClose(actual.state.reshape({channels, width}), expected.state, 2e-6);
  }
}

TEST(SSDScan, GroupsOfHeadsShareBAndC) {
  // Heads 0 and 1 read group 0, heads 2 and 3 group 1; y = C . (dt x B) from an empty state.
  for (KernelOptions options : {reference, fast}) {
    SSDScanResult result =
        ssdScan(tensor({1, 4}, {1, 2, 3, 4}), tensor({1, 4}, {1, 1, 1, 1}),
                tensor({4}, {-1, -1, -1, -1}), tensor({1, 2}, {10, 100}), tensor({1, 2}, {1, 2}),
                Tensor(), Tensor::zeros(DType::F32, {4, 1, 1}), 2, options);
    expectSameBits(result.y, tensor({1, 4}, {10, 20, 600, 800}));
    expectSameBits(result.state, tensor({4, 1, 1}, {10, 20, 300, 400}));
  }
}

TEST(SSDScan, FastMatchesReferenceAndChunksMatchWhole) {
  for (int64_t tokens : {1, 3, 17})
    for (int64_t width : {1, 16, 24, 96})
      for (int64_t headDim : {5, 64})
        for (int64_t groups : {1, 2}) {
          Inputs inputs(tokens, 4, headDim, width, groups);
          SSDScanResult expected = inputs.run(reference), actual = inputs.run(fast);
          expectClose(actual.y, expected.y, 2e-6);
          expectClose(actual.state, expected.state, 2e-6);
          expectSameBits(inputs.run(fastThreaded).y, actual.y);
          for (KernelOptions options : {reference, fast}) {
            int64_t cut = tokens / 3;
            SSDScanResult head = inputs.runRows(0, cut, inputs.state, options);
            SSDScanResult tail = inputs.runRows(cut, tokens, head.state, options);
            SSDScanResult whole = inputs.run(options);
            expectClose(concatRows(head.y, tail.y), whole.y, 1e-6);
            expectClose(tail.state, whole.state, 1e-6);
          }
        }
}
