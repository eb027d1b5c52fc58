//===- Rotary.cpp - Rotary position embedding -----------------------------===//

#include "ssmq/Kernels/Rotary.h"

#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cmath>

using namespace ssmq;
using namespace ssmq::simd;

/// theta^(-2i/rotaryDim) rounded as `1.0 / base ** (arange(0, dim, 2).float() / dim)`.
static llvm::SmallVector<float, 64> computeFrequencies(double theta, int64_t rotaryDim) {
  llvm::SmallVector<float, 64> frequencies(rotaryDim / 2);
  for (int64_t i = 0; i < rotaryDim / 2; ++i) {
    float exponent = static_cast<float>(2 * i) / static_cast<float>(rotaryDim);
    frequencies[i] = 1.0f / std::pow(static_cast<float>(theta), exponent);
  }
  return frequencies;
}

namespace {
/// cos and sin of one token's angles.
struct Angles {
  Angles(int64_t position, llvm::ArrayRef<float> frequencies) {
    for (float frequency : frequencies) {
      float angle = static_cast<float>(position) * frequency;
      cos.push_back(std::cos(angle));
      sin.push_back(std::sin(angle));
    }
  }
  llvm::SmallVector<float, 64> cos, sin;
};
} // namespace

static void rotateReference(const float *x, float *y, const Angles &angles, int64_t half) {
  for (int64_t i = 0; i < half; ++i) {
    double cos = angles.cos[i], sin = angles.sin[i];
    y[i] = static_cast<float>(x[i] * cos - x[i + half] * sin);
    y[i + half] = static_cast<float>(x[i + half] * cos + x[i] * sin);
  }
}

static void rotateFast(const float *x, float *y, const Angles &angles, int64_t half) {
  for (int64_t i = 0; i < half; i += 8) {
    int64_t count = std::min<int64_t>(8, half - i);
    Float8 cos = loadPartial(angles.cos.data() + i, count);
    Float8 sin = loadPartial(angles.sin.data() + i, count);
    Float8 low = loadPartial(x + i, count), high = loadPartial(x + half + i, count);
    storePartial(y + i, fma(low, cos, -(high * sin)), count);
    storePartial(y + half + i, fma(high, cos, low * sin), count);
  }
}

Tensor ssmq::rotary(const Tensor &x, int64_t position, int64_t headDim, double theta,
                    int64_t rotaryDim, const KernelOptions &options) {
  int64_t tokens = x.getDim(0), heads = x.getDim(1) / headDim;
  Tensor result = Tensor::empty(DType::F32, x.getShape());
  const float *xs = x.data<float>().data();
  float *ys = result.mutableData<float>().data();
  llvm::SmallVector<float, 64> frequencies = computeFrequencies(theta, rotaryDim);
  parallelFor(options.threads, tokens, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      Angles angles(position + t, frequencies);
      for (int64_t h = 0; h < heads; ++h) {
        const float *from = xs + (t * heads + h) * headDim;
        float *to = ys + (t * heads + h) * headDim;
        if (options.set == KernelSet::Reference)
          rotateReference(from, to, angles, rotaryDim / 2);
        else
          rotateFast(from, to, angles, rotaryDim / 2);
        std::copy(from + rotaryDim, from + headDim, to + rotaryDim);
      }
    }
  });
  return result;
}
