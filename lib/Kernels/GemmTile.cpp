//===- GemmTile.cpp - The register tile of the builtin GEMM ---------------===//

#include "GemmTile.h"
#include "Simd.h"

using namespace ssmq;

template <int W, int Rows, int Vectors>
[[gnu::always_inline]] static inline void multiplyTile(int64_t k, const float *a, const float *b,
                                                       float *c, int64_t strideC, bool accumulate) {
  using V = simd::Vector<W>;
  V sums[Rows][Vectors] = {};
  for (int64_t p = 0; p < k; ++p, a += Rows, b += W * Vectors) {
    V column[Vectors];
    for (int j = 0; j < Vectors; ++j)
      column[j] = simd::load<V>(b + j * W);
#pragma clang loop unroll(full)
    for (int i = 0; i < Rows; ++i)
      for (int j = 0; j < Vectors; ++j)
        sums[i][j] = simd::fma(V(a[i]), column[j], sums[i][j]);
  }
  for (int i = 0; i < Rows; ++i, c += strideC)
    for (int j = 0; j < Vectors; ++j) {
      V previous = accumulate ? simd::load<V>(c + j * W) : V(0.0f);
      simd::store(c + j * W, previous + sums[i][j]);
    }
}

static void multiplyAVX2(int64_t k, const float *a, const float *b, float *c, int64_t strideC,
                         bool accumulate) {
  multiplyTile<8, 6, 2>(k, a, b, c, strideC, accumulate);
}

static __attribute__((target("avx512f"))) void multiplyAVX512(int64_t k, const float *a,
                                                              const float *b, float *c,
                                                              int64_t strideC, bool accumulate) {
  multiplyTile<16, 8, 2>(k, a, b, c, strideC, accumulate);
}

namespace {
const GemmTile tileAVX2 = {6, 16, multiplyAVX2};
const GemmTile tileAVX512 = {8, 32, multiplyAVX512};
} // namespace

const GemmTile &ssmq::getGemmTileAVX2() { return tileAVX2; }

const GemmTile *ssmq::getGemmTileAVX512() {
  static const bool supported = __builtin_cpu_supports("avx512f");
  return supported ? &tileAVX512 : nullptr;
}

const GemmTile &ssmq::getGemmTile() {
  const GemmTile *wide = getGemmTileAVX512();
  return wide ? *wide : tileAVX2;
}
