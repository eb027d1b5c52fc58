//===- LogGrid.h - Magnitudes on a logarithmic scale ------------*- C++ -*-===//
//
// Magnitudes in [least, most] become 2^l for l on a uniform grid from log2(least) to log2(most).
// Its ends are multiples of 2^-20 (fixed point in 32 bits), and it is never finer than that, so
// that rounding to f32 moves no value to another point of the grid. Magnitudes that are all below
// one stay below one.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_FORMATS_LOGGRID_H
#define SSMQ_LIB_FORMATS_LOGGRID_H

#include "ssmq/Formats/Numerics.h"

namespace ssmq {

/// Magnitudes below the smallest normal float count as zeros: they have no precision to keep.
inline constexpr double kLeastLogMagnitude = 0x1p-126;

/// Adds one magnitude to a range.
inline void addMagnitude(RunRange &range, double magnitude) {
  if (magnitude < kLeastLogMagnitude) {
    range.hasZeros = true;
    return;
  }
  range.leastMagnitude = std::min(range.leastMagnitude, magnitude);
  range.mostMagnitude = std::max(range.mostMagnitude, magnitude);
}

/// Fills in the ends of the grid; a run of zeros gets scale 0, any other 1.
RunFault fitLogGrid(const RunRange &range, RunGrid &grid);

/// The ends in 8 bytes, two little-endian integers of 32 bits; the first has room for the sign of
/// the run (bit 0) and whether it holds zeros only (bit 1).
void storeLogGrid(const RunGrid &grid, uint8_t *bytes);
RunGrid loadLogGrid(const uint8_t *bytes);

class LogGrid {
public:
  LogGrid(const RunGrid &grid, unsigned bits);

  double getCode(double magnitude) const;
  double getMagnitude(double code) const;
  double round(double magnitude) const { return getMagnitude(getCode(magnitude)); }

private:
  double low, step, lastCode;
};

} // namespace ssmq

#endif // SSMQ_LIB_FORMATS_LOGGRID_H
