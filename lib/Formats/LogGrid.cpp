//===- LogGrid.cpp - Magnitudes on a logarithmic scale --------------------===//

#include "LogGrid.h"

#include "llvm/Support/Endian.h"
#include <algorithm>
#include <cmath>

namespace ssmq {

static constexpr double kOctave = 1 << 20;

RunFault fitLogGrid(const RunRange &range, RunGrid &grid) {
  if (!range.isFinite)
    return RunFault::NotFinite;
  if (range.mostMagnitude == 0)
    return RunFault::None;
  if (range.hasZeros)
    return RunFault::MixedZeros;
  if (range.mostMagnitude > std::numeric_limits<float>::max())
    return RunFault::TooLarge;
  auto getExponent = [](double magnitude) {
    auto exponent = static_cast<int32_t>(std::nearbyint(std::log2(magnitude) * kOctave));
    // 2^128 is no float.
    int32_t most = magnitude < 1 ? -1 : 128 * (1 << 20) - 1;
    return std::min(exponent, most);
  };
  grid.scale = 1;
  grid.lowExponent = getExponent(range.leastMagnitude);
  grid.highExponent = getExponent(range.mostMagnitude);
  return RunFault::None;
}

LogGrid::LogGrid(const RunGrid &grid, unsigned bits) : low(grid.lowExponent) {
  double width = static_cast<double>(grid.highExponent) - grid.lowExponent;
  lastCode = std::min(static_cast<double>((1u << bits) - 1), width);
  step = lastCode ? width / lastCode : 1;
}

double LogGrid::getCode(double magnitude) const {
  double code = std::nearbyint((std::log2(magnitude) * kOctave - low) / step);
  return std::clamp(code, 0.0, lastCode);
}

double LogGrid::getMagnitude(double code) const { return std::exp2((low + code * step) / kOctave); }

void storeLogGrid(const RunGrid &grid, uint8_t *bytes) {
  // Exponents have 28 bits and a sign.
  int32_t low = grid.lowExponent * 4 + (grid.scale ? 0 : 2) + (grid.isNegative ? 1 : 0);
  llvm::support::endian::write32le(bytes, static_cast<uint32_t>(low));
  llvm::support::endian::write32le(bytes + 4, static_cast<uint32_t>(grid.highExponent));
}

RunGrid loadLogGrid(const uint8_t *bytes) {
  auto low = static_cast<int32_t>(llvm::support::endian::read32le(bytes));
  RunGrid grid;
  grid.isNegative = low & 1;
  grid.scale = low & 2 ? 0.0f : 1.0f;
  grid.lowExponent = low >> 2;
  grid.highExponent = static_cast<int32_t>(llvm::support::endian::read32le(bytes + 4));
  return grid;
}

} // namespace ssmq
