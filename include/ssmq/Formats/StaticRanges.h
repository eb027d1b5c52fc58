//===- StaticRanges.h - Ranges from calibration -----------------*- C++ -*-===//
//
// Static formats clip to ranges that calibration has seen. For each scale of the layout, an
// observation (an activation on one sequence, a state after one step) gives a central range that
// leaves out its outermost values; the range kept is the widest over observations. So the result
// depends neither on the order of observations nor on how they are split among machines.
//
// With p the percentile and n values, rank r = ceil(n p / 100) (nearest rank, no interpolation):
//   symmetric:   [-m, m] with m the r-th smallest |x|;
//   asymmetric:  [the r-th largest x, the r-th smallest x], zero included.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_STATICRANGES_H
#define SSMQ_FORMATS_STATICRANGES_H

#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"
#include <vector>

namespace ssmq {

class StaticRanges {
public:
  struct Range {
    float low = 0, high = 0;
  };

  /// Formats of equal keys take the same ranges, so that they need to be collected only once:
  /// sharing, percentile and symmetry.
  static std::string getKey(const Format &format);

  explicit StaticRanges(const Format &format) : format(format) {}

  /// Whether `bounds`, low and high for each scale, are what the format needs on a value of this
  /// layout: finite, around zero, and none where the format is dynamic.
  static llvm::Error checkBounds(const Format &format, const ValueLayout &layout,
                                 llvm::ArrayRef<float> bounds);
  /// From low and high for each scale, as a program carries them, which have been checked.
  static StaticRanges fromBounds(const Format &format, llvm::ArrayRef<float> bounds);
  /// The inverse.
  std::vector<float> getBounds() const;

  /// Adds what one observation has seen; layouts may differ in the number of tokens only. Fails on
  /// values that are not finite.
  llvm::Error add(llvm::ArrayRef<float> values, const ValueLayout &layout);
  /// Takes in the observations of another collector of the same key.
  llvm::Error merge(const StaticRanges &other);

  int64_t getNumObservations() const { return numObservations; }
  /// One a scale, in the order of Runs; empty before the first observation.
  llvm::ArrayRef<Range> getRanges() const { return ranges; }

private:
  llvm::Error widen(llvm::ArrayRef<Range> seen);

  Format format;
  std::vector<Range> ranges;
  int64_t numObservations = 0;
};

/// The grids of low and high for each scale, as a program carries them. A range that no scale holds
/// gives an infinite one.
std::vector<RunGrid> fitGrids(const Format &format, llvm::ArrayRef<float> bounds);

} // namespace ssmq

#endif // SSMQ_FORMATS_STATICRANGES_H
