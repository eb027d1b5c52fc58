//===- LogPolarNumerics.cpp - Complex values by magnitude and phase -------===//
//
// logpolar<m,p>, for complex values whose real and imaginary parts are neighbours, such as a
// discrete A: m bits of magnitude on a logarithmic grid (see LogGrid.h) and p bits of phase, the
// multiples of 2 pi / 2^p in [-pi, pi). So |A| < 1 survives rounding, and a system that was stable
// stays so; on a Cartesian grid it does not. Zeros can be held only where all values are zero.
//
// The stable variant refuses |A| >= 1, and decodes any bits at all into the open unit disc: that a
// system is stable can be told from the format alone. Its largest magnitude, 2^(-2^-20), is 6.6e-7
// below one, which rounding both parts to f32 (3e-8 each) does not make up for.
//
//===----------------------------------------------------------------------===//

#include "FloatRange.h"
#include "LogGrid.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <vector>

using namespace llvm;

namespace ssmq {

namespace {

class LogPolarNumerics final : public RunNumerics<LogPolarNumerics> {
public:
  LogPolarNumerics(unsigned magnitudeBits, unsigned phaseBits, bool isStable)
      : magnitudeBits(magnitudeBits), phaseBits(phaseBits), isStable(isStable) {
    int64_t count = int64_t(1) << phaseBits;
    for (int64_t code = 0; code < count; ++code)
      cosines.push_back(getCosine(static_cast<double>(code) / count));
  }

  std::string getSpelling() const override {
    return formatv("logpolar<{0},{1}>{2}", magnitudeBits, phaseBits, isStable ? " stable" : "");
  }
  bool isInsideUnitDisc() const override { return isStable; }
  unsigned getCodeBits() const override { return magnitudeBits + phaseBits; }
  int64_t getRunBytes() const override { return 2 * sizeof(int32_t); }
  int64_t getValueSize() const override { return 2; }

  RunRange findRange(ArrayRef<float> values) const override {
    RunRange range = findFloatRange(values);
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      addMagnitude(range, getMagnitude(values[i], values[i + 1]));
    return range;
  }

  RunFault fit(const RunRange &range, RunGrid &grid) const override {
    RunFault fault = fitLogGrid(range, grid);
    if (fault == RunFault::None && isStable && range.mostMagnitude >= 1)
      return RunFault::OutsideDisc;
    // Parts rounded to f32 turn a magnitude of 1 into one just below, which is to stay below; so
    // that it is not moved a second time, an end at 1 is moved past it.
    for (int32_t *end : {&grid.lowExponent, &grid.highExponent})
      if (fault == RunFault::None && *end == 0)
        *end = 1;
    return fault;
  }

  void round(MutableArrayRef<float> values, const RunGrid &grid) const override {
    if (grid.scale == 0) {
      llvm::fill(values, 0.0f);
      return;
    }
    LogGrid magnitudes(grid, magnitudeBits);
    for (size_t i = 0; i + 1 < values.size(); i += 2) {
      double magnitude = magnitudes.round(getMagnitude(values[i], values[i + 1]));
      setPolar(magnitude, getPhaseCode(values[i], values[i + 1]), &values[i]);
    }
  }

  /// The magnitude in the low bits, the phase above it.
  void encode(ArrayRef<float> values, const RunGrid &grid,
              MutableArrayRef<uint32_t> codes) const override {
    if (grid.scale == 0) {
      llvm::fill(codes, 0);
      return;
    }
    LogGrid magnitudes(grid, magnitudeBits);
    for (auto [i, code] : enumerate(codes)) {
      float real = values[2 * i], imaginary = values[2 * i + 1];
      code = static_cast<uint32_t>(magnitudes.getCode(getMagnitude(real, imaginary))) |
             static_cast<uint32_t>(getPhaseCode(real, imaginary)) << magnitudeBits;
    }
  }

  void decode(ArrayRef<uint32_t> codes, const RunGrid &grid,
              MutableArrayRef<float> values) const override {
    if (grid.scale == 0) {
      llvm::fill(values, 0.0f);
      return;
    }
    LogGrid magnitudes(grid, magnitudeBits);
    for (auto [i, code] : enumerate(codes))
      setPolar(magnitudes.getMagnitude(code & ((1u << magnitudeBits) - 1)), code >> magnitudeBits,
               &values[2 * i]);
  }

  void storeGrid(const RunGrid &grid, uint8_t *bytes) const override { storeLogGrid(grid, bytes); }
  RunGrid loadGrid(const uint8_t *bytes) const override { return loadLogGrid(bytes); }

private:
  static double getMagnitude(double real, double imaginary) {
    return std::sqrt(real * real + imaginary * imaginary);
  }

  int64_t getPhaseCode(double real, double imaginary) const {
    const auto count = static_cast<int64_t>(cosines.size());
    double turns = std::atan2(imaginary, real) / (2 * numbers::pi);
    // Negative codes wrap, and so does half a turn.
    return static_cast<int64_t>(std::nearbyint(turns * count)) & (count - 1);
  }

  void setPolar(double magnitude, int64_t phase, float *value) const {
    if (isStable)
      magnitude = std::min(magnitude, kMostStable);
    const auto count = static_cast<int64_t>(cosines.size());
    value[0] = static_cast<float>(magnitude * cosines[phase & (count - 1)]);
    value[1] = static_cast<float>(magnitude * cosines[(phase - count / 4) & (count - 1)]);
  }

  /// Of an angle in turns; exact at quarters.
  static double getCosine(double turns) {
    double cosine = std::cos(2 * numbers::pi * turns);
    return std::abs(cosine) < 1e-12 ? 0 : cosine;
  }

  /// 2^(-2^-20).
  static constexpr double kMostStable = 0x1.ffffe9d1bd7c0p-1;

  unsigned magnitudeBits, phaseBits;
  bool isStable;
  /// Of k / 2^phaseBits turns; the sine is the cosine a quarter earlier.
  std::vector<double> cosines;
};

} // namespace

std::shared_ptr<const Numerics> makeLogPolarNumerics(unsigned magnitudeBits, unsigned phaseBits,
                                                     bool isStable) {
  return std::make_shared<LogPolarNumerics>(magnitudeBits, phaseBits, isStable);
}

} // namespace ssmq
