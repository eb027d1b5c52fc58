//===- IntegerGrid.h - Integer codes on a grid that is given ----*- C++ -*-===//
//
// What a run of values becomes when its scale and zero point are chosen by somebody else than
// Format::quantize, as a search for better ones does: value = (code - zero) * scale. Codes and
// scales are those that a QuantizedTensor of the same bits can hold: a scale is an f16, and a
// symmetric grid leaves the lowest code out.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_INTEGERGRID_H
#define SSMQ_FORMATS_INTEGERGRID_H

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ssmq {

/// Integers of 2 to 8 bits.
struct IntegerCodes {
  unsigned bits = 8;
  bool symmetric = true;

  int lowest() const { return -(1 << (bits - 1)) + (symmetric ? 1 : 0); }
  int highest() const { return (1 << (bits - 1)) - 1; }
};

struct IntegerGrid {
  /// 0 where all values are zero.
  float scale = 0;
  int zero = 0;
  int lowest = 0, highest = 0;

  /// The code of the value that is nearest, ties to even.
  int encode(float x) const { return static_cast<int>(toSteps(x)) + zero; }
  float decode(int code) const { return static_cast<float>(code - zero) * scale; }
  float round(float x) const { return toSteps(x) * scale; }

private:
  float toSteps(float x) const {
    float low = static_cast<float>(lowest - zero), high = static_cast<float>(highest - zero);
    // Comparisons in this order bring a NaN to an end too, as a code must be in its range.
    return scale == 0 ? 0 : std::max(low, std::min(high, std::nearbyint(x / scale)));
  }
};

/// The grid of all codes over [low, high], low <= 0 <= high and finite, its scale rounded to the
/// nearest f16; of a symmetric one over the larger side. The scale is 0 when the range is too
/// narrow for an f16, and finite always: a range too wide is cut.
IntegerGrid makeIntegerGrid(IntegerCodes codes, float low, float high);

/// `scale` as the nearest f16, at most the largest finite one.
float roundScale(float scale);

} // namespace ssmq

#endif // SSMQ_FORMATS_INTEGERGRID_H
