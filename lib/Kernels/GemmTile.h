//===- GemmTile.h - The register tile of the builtin GEMM -------*- C++ -*-===//
//
// One template, compiled for AVX2+FMA (8 lanes, 6 x 16 accumulators) and for AVX-512 (16 lanes,
// 8 x 32) and chosen when the program starts.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_GEMMTILE_H
#define SSMQ_KERNELS_GEMMTILE_H

#include <cstdint>

namespace ssmq {

/// c [rows, columns] (+)= sum over k of a[k][rows] * b[k][columns], both panels packed with k
/// outermost.
struct GemmTile {
  int64_t rows, columns;
  void (*multiply)(int64_t k, const float *a, const float *b, float *c, int64_t strideC,
                   bool accumulate);
};

/// The tile for this machine.
const GemmTile &getGemmTile();
/// Null when the machine lacks AVX-512.
const GemmTile *getGemmTileAVX512();
const GemmTile &getGemmTileAVX2();

} // namespace ssmq

#endif // SSMQ_KERNELS_GEMMTILE_H
