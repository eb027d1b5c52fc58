//===- Norm.cpp - Normalisation -------------------------------------------===//

#include "ssmq/Kernels/Norm.h"

#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::simd;

static void rmsNormReference(const float *x, const float *weight, float *y, int64_t width,
                             double eps) {
  double squares = 0;
  for (int64_t i = 0; i < width; ++i)
    squares += static_cast<double>(x[i]) * x[i];
  double scale = 1.0 / std::sqrt(squares / width + eps);
  for (int64_t i = 0; i < width; ++i)
    y[i] = static_cast<float>(x[i] * scale * weight[i]);
}

static void rmsNormFast(const float *x, const float *weight, float *y, int64_t width, float eps) {
  float squares = reduce(x, width, [](Float8 v) { return v * v; });
  Float8 scale(1.0f / std::sqrt(squares / width + eps));
  map(x, weight, y, width, [=](Float8 v, Float8 w) { return v * scale * w; });
}

Tensor ssmq::rmsNorm(const Tensor &x, const Tensor &weight, double eps, int64_t groups,
                     const KernelOptions &options) {
  int64_t tokens = x.getDim(0), width = x.getDim(1) / groups;
  Tensor result = Tensor::empty(DType::F32, x.getShape());
  const float *xs = x.data<float>().data(), *ws = weight.data<float>().data();
  float *ys = result.mutableData<float>().data();
  parallelFor(options.threads, tokens * groups, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const float *partWeight = ws + part % groups * width;
      if (options.set == KernelSet::Reference)
        rmsNormReference(xs + part * width, partWeight, ys + part * width, width, eps);
      else
        rmsNormFast(xs + part * width, partWeight, ys + part * width, width,
                    static_cast<float>(eps));
    }
  });
  return result;
}

static void layerNormReference(const float *x, const float *weight, const float *bias, float *y,
                               int64_t width, double eps) {
  double mean = 0, variance = 0;
  for (int64_t i = 0; i < width; ++i)
    mean += x[i];
  mean /= width;
  for (int64_t i = 0; i < width; ++i)
    variance += (x[i] - mean) * (x[i] - mean);
  double scale = 1.0 / std::sqrt(variance / width + eps);
  for (int64_t i = 0; i < width; ++i)
    y[i] = static_cast<float>((x[i] - mean) * scale * weight[i] + (bias ? bias[i] : 0.0f));
}

static void layerNormFast(const float *x, const float *weight, const float *bias, float *y,
                          int64_t width, float eps) {
  Float8 mean(reduce(x, width, [](Float8 v) { return v; }) / width);
  // Two passes, since E[x^2] - E[x]^2 cancels; the centred row is kept in y.
  map(x, y, width, [=](Float8 v) { return v - mean; });
  float variance = reduce(y, width, [](Float8 v) { return v * v; }) / width;
  Float8 scale(1.0f / std::sqrt(variance + eps));
  map(y, weight, y, width, [=](Float8 v, Float8 w) { return v * scale * w; });
  if (bias)
    map(y, bias, y, width, [](Float8 v, Float8 b) { return v + b; });
}

Tensor ssmq::layerNorm(const Tensor &x, const Tensor &weight, const Tensor &bias, double eps,
                       const KernelOptions &options) {
  int64_t tokens = x.getDim(0), width = x.getDim(1);
  Tensor result = Tensor::empty(DType::F32, x.getShape());
  const float *xs = x.data<float>().data(), *ws = weight.data<float>().data();
  const float *bs = bias ? bias.data<float>().data() : nullptr;
  float *ys = result.mutableData<float>().data();
  parallelFor(options.threads, tokens, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      if (options.set == KernelSet::Reference)
        layerNormReference(xs + t * width, ws, bs, ys + t * width, width, eps);
      else
        layerNormFast(xs + t * width, ws, bs, ys + t * width, width, static_cast<float>(eps));
  });
  return result;
}
