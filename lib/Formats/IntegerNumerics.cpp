//===- IntegerNumerics.cpp - Uniform integers -----------------------------===//

#include "IntegerNumerics.h"

#include "FloatRange.h"
#include "ScaleTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace llvm;

namespace ssmq {

std::string IntegerNumerics::getSpelling() const {
  return formatv("i{0} {1}", bits, symmetric ? "sym" : "asym");
}

int64_t IntegerNumerics::getRunBytes() const {
  int64_t zeroPointBytes = bits > 8 ? 2 : 1;
  return sizeof(uint16_t) + (symmetric ? 0 : zeroPointBytes);
}

RunRange IntegerNumerics::findRange(ArrayRef<float> values) const {
  return symmetric ? findMagnitudeRange(values) : findFloatRange(values);
}

float IntegerNumerics::roundScaleUp(float scale) const {
  return bits > 8 ? roundUpToBFloat(scale) : roundUpToHalf(scale);
}

RunFault IntegerNumerics::fit(const RunRange &range, RunGrid &grid) const {
  if (!range.isFinite)
    return RunFault::NotFinite;
  float width = symmetric ? std::max(range.high, -range.low) : range.high - range.low;
  float steps = symmetric ? getNumSteps() / 2 : getNumSteps();
  grid.scale = roundScaleUp(width / steps);
  if (!std::isfinite(grid.scale))
    return RunFault::TooLarge;
  grid.lowValue = range.low;
  grid.highValue = range.high;
  if (symmetric) {
    grid.lowCode = -steps;
    grid.highCode = steps;
    // Where scales are coarse, the largest value may not reach the largest code: in bf16, and near
    // the least f16.
    if (grid.scale && (bits > 8 || grid.scale < 0x1p-15f))
      grid.scale = roundScaleUp(std::nearbyint(width / grid.scale) * grid.scale / steps);
  } else if (grid.scale) {
    grid.lowCode = -std::nearbyint(-range.low / grid.scale);
    grid.highCode = std::min(std::nearbyint(range.high / grid.scale), steps + grid.lowCode);
    fixEnds(grid);
  }
  // The largest code may lie past the largest float, as scales are rounded up.
  bool fits = std::isfinite(grid.lowCode * grid.scale) && std::isfinite(grid.highCode * grid.scale);
  return fits ? RunFault::None : RunFault::TooLarge;
}

void IntegerNumerics::fixEnds(RunGrid &grid) const {
  float steps = getNumSteps(), scale = grid.scale;
  if (grid.highCode == grid.lowCode) {
    grid.scale = 0;
    return;
  }
  // Both ends may have been rounded inwards, so that the range of the rounded values asks for a
  // finer scale: the end that lost more takes one code more.
  while (roundScaleUp((grid.highCode - grid.lowCode) * scale / steps) < scale) {
    double lostLow = grid.lowCode - grid.lowValue / scale;
    double lostHigh = grid.highValue / scale - grid.highCode;
    if (lostHigh >= lostLow)
      ++grid.highCode;
    else
      --grid.lowCode;
  }
}

/// In steps of the scale from zero. Adding zero turns -0 into 0, as integers have it.
static inline float toSymmetricCode(float x, float divisor, float low, float high) {
  return std::max(low, std::min(high, std::nearbyint(x / divisor))) + 0.0f;
}

static inline float toAsymmetricCode(float x, float divisor, float low, float high, float lowValue,
                                     float highValue) {
  float code = toSymmetricCode(x, divisor, low, high);
  code = x >= highValue ? high : code;
  return (x <= lowValue ? low : code) + 0.0f;
}

/// Calls `use(code, index)` for each value.
template <typename Use>
static inline void forEachCode(const float *values, size_t size, const RunGrid &grid,
                               bool symmetric, Use use) {
  // A run of scale 0 holds zeros only.
  const float divisor = grid.scale ? grid.scale : 1;
  const float low = grid.scale ? grid.lowCode : 0, high = grid.scale ? grid.highCode : 0;
  if (symmetric) {
    for (size_t i = 0; i < size; ++i)
      use(toSymmetricCode(values[i], divisor, low, high), i);
    return;
  }
  const auto lowValue = static_cast<float>(grid.lowValue);
  const auto highValue = static_cast<float>(grid.highValue);
  for (size_t i = 0; i < size; ++i)
    use(toAsymmetricCode(values[i], divisor, low, high, lowValue, highValue), i);
}

void IntegerNumerics::round(MutableArrayRef<float> values, const RunGrid &grid) const {
  float *data = values.data();
  const float scale = grid.scale;
  forEachCode(data, values.size(), grid, symmetric,
              [=](float code, size_t i) { data[i] = code * scale; });
}

int IntegerNumerics::getZeroPoint(const RunGrid &grid) const {
  return symmetric || !grid.scale ? 0 : getLowestCode() - static_cast<int>(grid.lowCode);
}

int8_t IntegerNumerics::encodeBytes(ArrayRef<float> values, const RunGrid &grid,
                                    int8_t *codes) const {
  const int zero = getZeroPoint(grid);
  forEachCode(values.data(), values.size(), grid, symmetric, [=](float code, size_t i) {
    codes[i] = static_cast<int8_t>(static_cast<int>(code) + zero);
  });
  return static_cast<int8_t>(zero);
}

void IntegerNumerics::encode(ArrayRef<float> values, const RunGrid &grid,
                             MutableArrayRef<uint32_t> codes) const {
  const int zero = getZeroPoint(grid);
  const uint32_t mask = (1u << bits) - 1;
  forEachCode(values.data(), values.size(), grid, symmetric, [=](float code, size_t i) {
    codes[i] = static_cast<uint32_t>(static_cast<int>(code) + zero) & mask;
  });
}

void IntegerNumerics::decode(ArrayRef<uint32_t> codes, const RunGrid &grid,
                             MutableArrayRef<float> values) const {
  const int zero = getZeroPoint(grid);
  for (auto [code, value] : zip_equal(codes, values))
    value = static_cast<float>(SignExtend32(code, bits) - zero) * grid.scale;
}

void IntegerNumerics::storeGrid(const RunGrid &grid, uint8_t *bytes) const {
  uint16_t scale = bits > 8 ? floatToBFloat(grid.scale) : floatToHalf(grid.scale);
  support::endian::write16le(bytes, scale);
  if (symmetric)
    return;
  if (bits > 8)
    support::endian::write16le(bytes + 2, static_cast<uint16_t>(getZeroPoint(grid)));
  else
    bytes[2] = static_cast<uint8_t>(getZeroPoint(grid));
}

RunGrid IntegerNumerics::loadGrid(const uint8_t *bytes) const {
  RunGrid grid;
  uint16_t scale = support::endian::read16le(bytes);
  grid.scale = bits > 8 ? bfloatToFloat(scale) : halfToFloat(scale);
  if (symmetric)
    return grid;
  int zero = bits > 8 ? static_cast<int16_t>(support::endian::read16le(bytes + 2))
                      : static_cast<int8_t>(bytes[2]);
  grid.lowCode = static_cast<float>(getLowestCode() - zero);
  return grid;
}

std::shared_ptr<const Numerics> makeIntegerNumerics(unsigned bits, bool symmetric) {
  return std::make_shared<IntegerNumerics>(bits, symmetric);
}

} // namespace ssmq
