//===- ByteTileKernel.h - Body of the byte tiles ----------------*- C++ -*-===//
//
// For files that are compiled for one instruction set: everything is local to them, so that none of
// it is linked into code for lesser machines.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_BYTETILEKERNEL_H
#define SSMQ_KERNELS_BYTETILEKERNEL_H

#include "ByteTile.h"
#include <cstring>
#include <immintrin.h>

namespace {

/// `Kind` gives Vector, its `width` in i32, how many `rows` a tile has, `dot` and `broadcast`. A
/// short tile repeats its last row, whose sums are dropped.
template <typename Kind>
void addTile(const ssmq::ByteTile::Row *rows, int64_t numRows, const ssmq::ByteTile::Panel &panel,
             const float *base, float *y, int64_t stride) {
  using Vector = typename Kind::Vector;
  const int8_t *codes[Kind::rows];
  for (int i = 0; i < Kind::rows; ++i)
    codes[i] = rows[i < numRows ? i : numRows - 1].codes;
  Vector sums[Kind::rows][2] = {};
  const uint8_t *weights = panel.codes;
  for (int64_t q = 0; q < panel.quads; ++q, weights += 2 * sizeof(Vector)) {
    Vector first, second;
    std::memcpy(&first, weights, sizeof(Vector));
    std::memcpy(&second, weights + sizeof(Vector), sizeof(Vector));
#pragma clang loop unroll(full)
    for (int i = 0; i < Kind::rows; ++i) {
      int32_t quad;
      std::memcpy(&quad, codes[i] + q * 4, 4);
      Vector change = Kind::broadcast(quad);
      sums[i][0] = Kind::dot(sums[i][0], first, change);
      sums[i][1] = Kind::dot(sums[i][1], second, change);
    }
  }
  for (int64_t i = 0; i < numRows; ++i) {
    int32_t out[2 * Kind::width];
    std::memcpy(out, &sums[i][0], sizeof(out));
    float *to = y + rows[i].row * stride;
    const float *from = rows[i].isSecondDigit ? to : base + rows[i].row * stride;
    int32_t offset = 128 * rows[i].sum;
    auto addColumns = [&](int64_t count) {
      for (int64_t j = 0; j < count; ++j)
        to[j] = from[j] + rows[i].scale * panel.scales[j] * static_cast<float>(out[j] - offset);
    };
    panel.numColumns == 2 * Kind::width ? addColumns(2 * Kind::width)
                                        : addColumns(panel.numColumns);
  }
}

} // namespace

#endif // SSMQ_KERNELS_BYTETILEKERNEL_H
