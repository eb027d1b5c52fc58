//===- StateHookTest.cpp - States that are rounded after each token -------===//
//
// Each kernel with a hook against the recurrence written out, where the rounding depends on the
// whole state.
//
//===----------------------------------------------------------------------===//

#include "ssmq/Kernels/KernelOptions.h"

#include "KernelTestUtils.h"
#include "ssmq/Kernels/Conv.h"
#include "ssmq/Kernels/SSDScan.h"
#include "ssmq/Kernels/SelectiveScan.h"

using namespace ssmq;
using namespace ssmq::testing;

/// To multiples of 1/15 of the largest number.
static void roundState(llvm::MutableArrayRef<float> state) {
  float scale = 0;
  for (float value : state)
    scale = std::max(scale, std::fabs(value) / 15);
  if (scale > 0)
    for (float &value : state)
      value = std::nearbyint(value / scale) * scale;
}

static void watch(llvm::MutableArrayRef<float>) {}

namespace {

struct Scan {
  Scan(int64_t heads, int64_t headDim, int64_t groups)
      : heads(heads), headDim(headDim), groups(groups) {}

  int64_t tokens = 7, width = 13, heads, headDim, groups;
  Tensor x = random(1, {tokens, heads * headDim}), dt = random(2, {tokens, heads}, 0, 1);
  Tensor a = random(3, {heads}, -2, -0.1f), b = random(4, {tokens, groups * width});
  Tensor c = random(5, {tokens, groups * width}), d = random(6, {heads});
  Tensor state = random(7, {heads, headDim, width});

  SSDScanResult run(KernelOptions options, StateHook hook) const {
    return ssdScan(x, dt, a, b, c, d, state, groups, options, hook);
  }
  SSDScanResult runRows(int64_t begin, int64_t end, const Tensor &from,
                        KernelOptions options) const {
    return ssdScan(rows(x, begin, end), rows(dt, begin, end), a, rows(b, begin, end),
                   rows(c, begin, end), d, from, groups, options, roundState);
  }
  SSDScanResult runPlainly() const {
    SSDScanResult result = {Tensor::zeros(DType::F32, x.getShape()), state.clone()};
    auto get = [](const Tensor &tensor, int64_t i) { return tensor.data<float>()[i]; };
    llvm::MutableArrayRef<float> s = result.state.mutableData<float>();
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t p = 0; p < headDim; ++p) {
          float step = get(dt, t * heads + h), in = get(x, (t * heads + h) * headDim + p);
          float y = get(d, h) * in;
          for (int64_t n = 0; n < width; ++n) {
            int64_t at = (t * groups + h / (heads / groups)) * width + n;
            float &now = s[(h * headDim + p) * width + n];
            now = std::exp(step * get(a, h)) * now + step * in * get(b, at);
            y += now * get(c, at);
          }
          result.y.mutableData<float>()[(t * heads + h) * headDim + p] = y;
        }
      roundState(s);
    }
    return result;
  }
};

struct Conv {
  int64_t tokens, taps, channels = 11;
  Tensor x = random(1, {tokens, channels}), weight = random(2, {channels, 1, taps});
  Tensor bias = random(3, {channels}), state = random(4, {taps - 1, channels});

  ConvResult run(KernelOptions options, StateHook hook) const {
    return causalConv1d(x, weight, bias, state, options, hook);
  }
  ConvResult runPlainly() const {
    Tensor padded = concatRows(state, x);
    llvm::MutableArrayRef<float> past = padded.mutableData<float>();
    Tensor y = Tensor::empty(DType::F32, x.getShape());
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t c = 0; c < channels; ++c) {
        float sum = bias.data<float>()[c];
        for (int64_t k = 0; k < taps; ++k)
          sum += weight.data<float>()[c * taps + k] * past[(t + k) * channels + c];
        y.mutableData<float>()[t * channels + c] = sum;
      }
      roundState(past.slice((t + taps - 1) * channels, channels));
    }
    return {y, rows(padded, tokens, tokens + taps - 1)};
  }
};

} // namespace

TEST(StateHook, SSDScan) {
  Scan scan(/*heads=*/4, /*headDim=*/5, /*groups=*/2);
  SSDScanResult expected = scan.runPlainly();
  for (KernelOptions options : {reference, fast, fastThreaded}) {
    SSDScanResult actual = scan.run(options, roundState);
    expectClose(actual.y, expected.y, 2e-6);
    expectClose(actual.state, expected.state, 2e-6);

    SSDScanResult head = scan.runRows(0, 3, scan.state, options);
    SSDScanResult tail = scan.runRows(3, scan.tokens, head.state, options);
    expectSameBits(concatRows(head.y, tail.y), actual.y);
    expectSameBits(tail.state, actual.state);

    SSDScanResult watched = scan.run(options, watch), plain = scan.run(options, nullptr);
    expectClose(watched.y, plain.y, 2e-6);
    expectClose(watched.state, plain.state, 2e-6);
  }
}

TEST(StateHook, SelectiveScan) {
  // Mamba-1 is Mamba-2 with heads of one channel when A is the same along N.
  Scan scan(/*heads=*/13, /*headDim=*/1, /*groups=*/1);
  Tensor a = Tensor::empty(DType::F32, {scan.heads, scan.width});
  for (int64_t i = 0; i < a.getNumElements(); ++i)
    a.mutableData<float>()[i] = scan.a.data<float>()[i / scan.width];
  Tensor state = scan.state.reshape({scan.heads, scan.width});
  SSDScanResult expected = scan.runPlainly();
  for (KernelOptions options : {reference, fast, fastThreaded}) {
    auto run = [&](int64_t begin, int64_t end, const Tensor &from, StateHook hook) {
      return selectiveScan(rows(scan.x, begin, end), rows(scan.dt, begin, end), a,
                           rows(scan.b, begin, end), rows(scan.c, begin, end), scan.d, from,
                           options, hook);
    };
    SelectiveScanResult actual = run(0, scan.tokens, state, roundState);
    expectClose(actual.y, expected.y, 2e-6);
    expectClose(actual.state.reshape(scan.state.getShape()), expected.state, 2e-6);

    SelectiveScanResult head = run(0, 3, state, roundState);
    SelectiveScanResult tail = run(3, scan.tokens, head.state, roundState);
    expectSameBits(concatRows(head.y, tail.y), actual.y);
    expectSameBits(tail.state, actual.state);

    SelectiveScanResult watched = run(0, scan.tokens, state, watch);
    SelectiveScanResult plain = run(0, scan.tokens, state, nullptr);
    expectClose(watched.y, plain.y, 2e-6);
    expectClose(watched.state, plain.state, 2e-6);
  }
}

TEST(StateHook, CausalConv1d) {
  for (int64_t taps : {1, 4})
    for (int64_t tokens : {2, 9}) { // fewer and more than the state holds
      Conv conv{tokens, taps};
      ConvResult expected = conv.runPlainly();
      for (KernelOptions options : {reference, fast, fastThreaded}) {
        ConvResult actual = conv.run(options, roundState);
        expectClose(actual.y, expected.y, 1e-6);
        expectClose(actual.state, expected.state, 1e-6);

        ConvResult head = causalConv1d(rows(conv.x, 0, 1), conv.weight, conv.bias, conv.state,
                                       options, roundState);
        ConvResult tail = causalConv1d(rows(conv.x, 1, tokens), conv.weight, conv.bias, head.state,
                                       options, roundState);
        expectSameBits(concatRows(head.y, tail.y), actual.y);
        expectSameBits(tail.state, actual.state);
        expectSameBits(conv.run(options, watch).y, conv.run(options, nullptr).y);
      }
    }
}
