//===- ByteTile.h - The register tile of byte products ----------*- C++ -*-===//

#ifndef SSMQ_KERNELS_BYTETILE_H
#define SSMQ_KERNELS_BYTETILE_H

#include <cstdint>

namespace ssmq {

/// y = base + rows of signed bytes times a panel of unsigned ones.
struct ByteTile {
  struct Row {
    const int8_t *codes;
    /// Of base and y.
    int64_t row;
    /// The second digit of a row adds to what the first has left in y.
    bool isSecondDigit;
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
  /// At most `rows` rows; base and y have one stride, and may be the same.
  void (*add)(const Row *rows, int64_t numRows, const Panel &panel, const float *base, float *y,
              int64_t stride);
};

/// Null when the machine has no byte dot products.
const ByteTile *getByteTile();

/// Each lives in a file that is compiled for its instructions.
extern const ByteTile byteTileAVX512, byteTileAVX;

} // namespace ssmq

#endif // SSMQ_KERNELS_BYTETILE_H
