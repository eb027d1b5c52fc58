//===- Linear.cpp - Dense layers ------------------------------------------===//

#include "ssmq/Kernels/Linear.h"

#include "Simd.h"
#include "ssmq/Kernels/Gemm.h"
#include "ssmq/Support/Parallel.h"

using namespace ssmq;

static void linearReference(const float *x, const float *weight, const float *bias, float *y,
                            GemmShape shape, unsigned threads) {
  parallelFor(threads, shape.m, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      for (int64_t o = 0; o < shape.n; ++o) {
        double sum = bias ? bias[o] : 0.0;
        for (int64_t i = 0; i < shape.k; ++i)
          sum += static_cast<double>(x[t * shape.k + i]) * weight[o * shape.k + i];
        y[t * shape.n + o] = static_cast<float>(sum);
      }
  });
}

Tensor ssmq::linear(const Tensor &x, const Tensor &weight, const Tensor &bias,
                    const KernelOptions &options) {
  GemmShape shape = {x.getDim(0), weight.getDim(0), x.getDim(1)};
  Tensor result = Tensor::empty(DType::F32, {shape.m, shape.n});
  const float *xs = x.data<float>().data(), *ws = weight.data<float>().data();
  const float *bs = bias ? bias.data<float>().data() : nullptr;
  float *ys = result.mutableData<float>().data();
  if (options.set == KernelSet::Reference) {
    linearReference(xs, ws, bs, ys, shape, options.threads);
    return result;
  }
  gemmTransposed({xs, shape.k}, {ws, shape.k}, {ys, shape.n}, shape, options.threads);
  if (bs)
    parallelFor(options.threads, shape.m, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t)
        simd::map(ys + t * shape.n, bs, ys + t * shape.n, shape.n,
                  [](simd::Float8 a, simd::Float8 b) { return a + b; });
    });
  return result;
}
