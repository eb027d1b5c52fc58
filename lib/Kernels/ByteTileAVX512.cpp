//===- ByteTileAVX512.cpp - Byte products by AVX512-VNNI ------------------===//

#include "ByteTileKernel.h"

namespace {
struct AVX512 {
  using Vector = __m512i;
  static constexpr int width = 16, rows = 12;
  static Vector dot(Vector sum, Vector weight, Vector change) {
    return _mm512_dpbusd_epi32(sum, weight, change);
  }
  static Vector broadcast(int32_t quad) { return _mm512_set1_epi32(quad); }
};
} // namespace

const ssmq::ByteTile ssmq::byteTileAVX512 = {AVX512::rows, 2 * AVX512::width, addTile<AVX512>};
