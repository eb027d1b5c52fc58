//===- Conv.cpp - Causal depthwise convolution ----------------------------===//

#include "ssmq/Kernels/Conv.h"

#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>

using namespace ssmq;
using namespace ssmq::simd;

namespace {
/// Rows of concat(state, x) without copying either.
struct PaddedRows {
  const float *state, *x;
  int64_t stateRows, channels;
  const float *operator[](int64_t row) const {
    return row < stateRows ? state + row * channels : x + (row - stateRows) * channels;
  }
};
} // namespace

static void convReference(const PaddedRows &padded, const float *weight, const float *bias,
                          float *y, int64_t t, int64_t taps) {
  for (int64_t c = 0; c < padded.channels; ++c) {
    double sum = bias ? bias[c] : 0.0;
    for (int64_t k = 0; k < taps; ++k)
      sum += static_cast<double>(weight[c * taps + k]) * padded[t + k][c];
    y[t * padded.channels + c] = static_cast<float>(sum);
  }
}

/// `weight` is transposed to [taps, channels] here.
static void convFast(const PaddedRows &padded, const float *weight, const float *bias, float *y,
                     int64_t t, int64_t taps) {
  int64_t channels = padded.channels;
  float *out = y + t * channels;
  int64_t c = 0;
  for (; c + 8 <= channels; c += 8) {
    Float8 sum = bias ? load<Float8>(bias + c) : Float8(0.0f);
    for (int64_t k = 0; k < taps; ++k)
      sum = fma(load<Float8>(weight + k * channels + c), load<Float8>(padded[t + k] + c), sum);
    store(out + c, sum);
  }
  if (int64_t count = channels - c) {
    Float8 sum = bias ? loadPartial(bias + c, count) : Float8(0.0f);
    for (int64_t k = 0; k < taps; ++k)
      sum = fma(loadPartial(weight + k * channels + c, count),
                loadPartial(padded[t + k] + c, count), sum);
    storePartial(out + c, sum, count);
  }
}

ConvResult ssmq::causalConv1d(const Tensor &x, const Tensor &weight, const Tensor &bias,
                              const Tensor &state, const KernelOptions &options) {
  int64_t tokens = x.getDim(0), channels = x.getDim(1), taps = weight.getDim(2);
  ConvResult result = {Tensor::empty(DType::F32, {tokens, channels}),
                       Tensor::empty(DType::F32, {taps - 1, channels})};
  PaddedRows padded = {state.data<float>().data(), x.data<float>().data(), taps - 1, channels};
  const float *bs = bias ? bias.data<float>().data() : nullptr;
  const float *ws = weight.data<float>().data();
  float *ys = result.y.mutableData<float>().data();
  bool reference = options.set == KernelSet::Reference;

  llvm::SmallVector<float, 0> transposed;
  if (!reference) {
    transposed.resize(taps * channels);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t k = 0; k < taps; ++k)
        transposed[k * channels + c] = ws[c * taps + k];
  }
  parallelFor(options.threads, tokens, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      if (reference)
        convReference(padded, ws, bs, ys, t, taps);
      else
        convFast(padded, transposed.data(), bs, ys, t, taps);
  });

  float *newState = result.state.mutableData<float>().data();
  for (int64_t row = 0; row < taps - 1; ++row)
    std::copy_n(padded[tokens + row], channels, newState + row * channels);
  return result;
}
