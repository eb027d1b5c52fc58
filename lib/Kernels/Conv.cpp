//===- Conv.cpp - Causal depthwise convolution ----------------------------===//

#include "ssmq/Kernels/Conv.h"

#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>

using namespace ssmq;
using namespace ssmq::simd;

namespace {
/// What each token reads, without a copy of concat(state, x): the last tap reads its own row of x,
/// the taps before it rows of the state or of what was stored of earlier rows of x.
struct PaddedRows {
  const float *state, *stored, *x;
  int64_t taps, channels;

  llvm::SmallVector<const float *, 8> getTaps(int64_t t) const {
    llvm::SmallVector<const float *, 8> rows;
    for (int64_t k = 0; k < taps - 1; ++k)
      rows.push_back(getPast(t + k));
    rows.push_back(x + t * channels);
    return rows;
  }
  /// Row of concat(state, stored).
  const float *getPast(int64_t row) const {
    return row < taps - 1 ? state + row * channels : stored + (row - taps + 1) * channels;
  }
};
} // namespace

static void convReference(const PaddedRows &padded, const float *weight, const float *bias,
                          float *y, int64_t t) {
  auto rows = padded.getTaps(t);
  for (int64_t c = 0; c < padded.channels; ++c) {
    double sum = bias ? bias[c] : 0.0;
    for (int64_t k = 0; k < padded.taps; ++k)
      sum += static_cast<double>(weight[c * padded.taps + k]) * rows[k][c];
    y[t * padded.channels + c] = static_cast<float>(sum);
  }
}

/// `weight` is transposed to [taps, channels] here.
static void convFast(const PaddedRows &padded, const float *weight, const float *bias, float *y,
                     int64_t t) {
  auto rows = padded.getTaps(t);
  int64_t channels = padded.channels, taps = padded.taps;
  float *out = y + t * channels;
  int64_t c = 0;
  for (; c + 8 <= channels; c += 8) {
    Float8 sum = bias ? load<Float8>(bias + c) : Float8(0.0f);
    for (int64_t k = 0; k < taps; ++k)
      sum = fma(load<Float8>(weight + k * channels + c), load<Float8>(rows[k] + c), sum);
    store(out + c, sum);
  }
  if (int64_t count = channels - c) {
    Float8 sum = bias ? loadPartial(bias + c, count) : Float8(0.0f);
    for (int64_t k = 0; k < taps; ++k)
      sum =
          fma(loadPartial(weight + k * channels + c, count), loadPartial(rows[k] + c, count), sum);
    storePartial(out + c, sum, count);
  }
}

ConvResult ssmq::causalConv1d(const Tensor &x, const Tensor &weight, const Tensor &bias,
                              const Tensor &state, const KernelOptions &options, StateHook hook) {
  int64_t tokens = x.getDim(0), channels = x.getDim(1), taps = weight.getDim(2);
  ConvResult result = {Tensor::empty(DType::F32, {tokens, channels}),
                       Tensor::empty(DType::F32, {taps - 1, channels})};
  Tensor stored = x;
  if (hook && taps > 1) {
    stored = x.clone();
    for (int64_t t = 0; t < tokens; ++t)
      hook(stored.mutableData<float>().slice(t * channels, channels));
  }
  PaddedRows padded = {state.data<float>().data(), stored.data<float>().data(),
                       x.data<float>().data(), taps, channels};
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
        convReference(padded, ws, bs, ys, t);
      else
        convFast(padded, transposed.data(), bs, ys, t);
  });

  float *newState = result.state.mutableData<float>().data();
  for (int64_t row = 0; row < taps - 1; ++row)
    std::copy_n(padded.getPast(tokens + row), channels, newState + row * channels);
  return result;
}
