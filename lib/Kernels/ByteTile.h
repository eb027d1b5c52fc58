//===- ByteTile.h - The register tile of byte products ----------*- C++ -*-===//

#ifndef SSMQ_KERNELS_BYTETILE_H
#define SSMQ_KERNELS_BYTETILE_H

#include <cstdint>

namespace ssmq {

/// Adds rows of signed bytes times a panel of unsigned ones to rows of y.
struct ByteTile {
  struct Row {
    const int8_t *codes;
    /// Of y.
    int64_t row;
    float scale;
    /// Of the codes: 128 times it is what the panel's offset adds.
    int32_t sum;
  };
  struct Panel {
    const uint8_t *codes; // [quads][columns][4]
    const float *scales;
    int64_t quads;
    int64_t numColumns;
  };
  int64_t rows, columns;
  /// At most `rows` rows; two of them may go to one row of y.
  void (*add)(const Row *rows, int64_t numRows, const Panel &panel, float *y, int64_t stride);
};

/// Null when the machine has no byte dot products.
const ByteTile *getByteTile();

/// Each lives in a file that is compiled for its instructions.
extern const ByteTile byteTileAVX512, byteTileAVX;

} // namespace ssmq

#endif // SSMQ_KERNELS_BYTETILE_H
