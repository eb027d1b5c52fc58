//===- ByteTileAVX.cpp - Byte products by AVX-VNNI ------------------------===//

#include "ByteTileKernel.h"

namespace {
struct AVX {
  using Vector = __m256i;
  static constexpr int width = 8, rows = 6;
  static Vector dot(Vector sum, Vector weight, Vector change) {
    return _mm256_dpbusd_avx_epi32(sum, weight, change);
  }
  static Vector broadcast(int32_t quad) { return _mm256_set1_epi32(quad); }
};
} // namespace

const ssmq::ByteTile ssmq::byteTileAVX = {AVX::rows, 2 * AVX::width, addTile<AVX>};
