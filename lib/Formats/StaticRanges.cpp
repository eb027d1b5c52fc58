//===- StaticRanges.cpp - Ranges from calibration -------------------------===//

#include "ssmq/Formats/StaticRanges.h"

#include "ssmq/Formats/Numerics.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace llvm;

namespace ssmq {

std::string StaticRanges::getKey(const Format &format) {
  return format.getSharing().getSpelling() + " static=" + format.getPercentile()->getSpelling() +
         (format.getNumerics().isAsymmetric() ? " asym" : " sym");
}

Error StaticRanges::checkBounds(const Format &format, const ValueLayout &layout,
                                ArrayRef<float> bounds) {
  Expected<Runs> runs = format.getRuns(layout);
  if (!runs)
    return runs.takeError();
  size_t count = format.needsRanges() ? runs->getNumScales() : 0;
  if (bounds.size() != 2 * count)
    return createStringError("format '" + format.getSpelling() + "' needs " + Twine(count) +
                             " ranges (low and high each), but there are " + Twine(bounds.size()) +
                             " numbers");
  for (size_t i = 0; i < count; ++i) {
    float low = bounds[2 * i], high = bounds[2 * i + 1];
    if (!(low <= 0 && high >= 0 && std::isfinite(low) && std::isfinite(high)))
      return createStringError("range " + Twine(i) + " must be finite and hold zero");
  }
  return Error::success();
}

StaticRanges StaticRanges::fromBounds(const Format &format, ArrayRef<float> bounds) {
  StaticRanges result(format);
  for (size_t i = 0; i + 1 < bounds.size(); i += 2)
    result.ranges.push_back({bounds[i], bounds[i + 1]});
  result.numObservations = 1;
  return result;
}

std::vector<float> StaticRanges::getBounds() const {
  std::vector<float> bounds;
  for (const Range &range : ranges)
    bounds.insert(bounds.end(), {range.low, range.high});
  return bounds;
}

/// The central range of one run, whose values it reorders.
static StaticRanges::Range findCentralRange(MutableArrayRef<float> values, Percentile percentile,
                                            bool isAsymmetric) {
  if (values.empty())
    return {};
  // Both factors are below 2^40 and 2^27, so that the product fits only in 128 bits.
  __int128 product = static_cast<__int128>(values.size()) * percentile.millionths;
  auto rank = static_cast<size_t>((product + 99999999) / 100000000);
  auto getRanked = [&](size_t index) {
    std::nth_element(values.begin(), values.begin() + index, values.end());
    return values[index];
  };
  if (isAsymmetric) {
    float high = getRanked(rank - 1), low = getRanked(values.size() - rank);
    return {std::min(low, 0.0f), std::max(high, 0.0f)};
  }
  for (float &value : values)
    value = std::abs(value);
  float most = getRanked(rank - 1);
  return {-most, most};
}

Error StaticRanges::add(ArrayRef<float> values, const ValueLayout &layout) {
  if (!format.needsRanges())
    return createStringError("format '" + format.getSpelling() + "' is dynamic: it has no ranges");
  if (Error error = format.checkLayout(layout))
    return error;
  Expected<Runs> runs = format.getRuns(layout);
  if (!runs)
    return runs.takeError();
  if (static_cast<int64_t>(values.size()) != layout.getNumElements())
    return createStringError("the value has " + Twine(values.size()) +
                             " elements, but its layout is " + Twine(layout.rows) + " x " +
                             Twine(layout.columns));
  if (!all_of(values, [](float value) { return std::isfinite(value); }))
    return createStringError("the " + getName(layout.kind) +
                             " holds a value that is not finite (NaN or infinity)");

  std::vector<Range> seen;
  std::vector<float> run;
  int64_t perUnit = runs->getRunsPerUnit();
  int64_t together = runs->unitsShareScales ? runs->numUnits : 1;
  for (int64_t scale = 0; scale < runs->getNumScales(); ++scale) {
    int64_t column = scale % perUnit * runs->runSize;
    int64_t size = std::min(runs->runSize, runs->unitSize - column);
    run.clear();
    for (int64_t i = 0; i < together; ++i) {
      int64_t unit = runs->unitsShareScales ? i : scale / perUnit;
      ArrayRef<float> part = values.slice(unit * runs->unitSize + column, size);
      run.insert(run.end(), part.begin(), part.end());
    }
    seen.push_back(
        findCentralRange(run, *format.getPercentile(), format.getNumerics().isAsymmetric()));
  }
  ++numObservations;
  return widen(seen);
}

Error StaticRanges::widen(ArrayRef<Range> seen) {
  if (ranges.empty())
    ranges.resize(seen.size());
  if (ranges.size() != seen.size())
    return createStringError("calibration has " + Twine(ranges.size()) +
                             " ranges, but another observation has " + Twine(seen.size()));
  for (auto [range, other] : zip_equal(ranges, seen)) {
    range.low = std::min(range.low, other.low);
    range.high = std::max(range.high, other.high);
  }
  return Error::success();
}

Error StaticRanges::merge(const StaticRanges &other) {
  if (getKey(format) != getKey(other.format))
    return createStringError("ranges for '" + getKey(other.format) +
                             "' cannot be merged into those for '" + getKey(format) + "'");
  if (other.numObservations == 0)
    return Error::success();
  numObservations += other.numObservations;
  return widen(other.ranges);
}

std::vector<RunGrid> fitGrids(const Format &format, llvm::ArrayRef<float> bounds) {
  std::vector<RunGrid> grids(bounds.size() / 2);
  for (auto [i, grid] : llvm::enumerate(grids)) {
    RunRange range;
    range.low = bounds[2 * i];
    range.high = bounds[2 * i + 1];
    format.getNumerics().fit(range, grid);
  }
  return grids;
}

} // namespace ssmq
