//===- LogNumerics.cpp - Logarithms of real values ------------------------===//
//
// log2<b>, for values of one sign such as A = -exp(A_log): a code of b bits on a logarithmic grid
// (see LogGrid.h), the sign once a run. Zeros can be held only where all values are zero.
//
//===----------------------------------------------------------------------===//

#include "FloatRange.h"
#include "LogGrid.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace llvm;

namespace ssmq {

namespace {

class LogNumerics final : public RunNumerics<LogNumerics> {
public:
  explicit LogNumerics(unsigned bits) : bits(bits) {}

  std::string getSpelling() const override { return formatv("log2<{0}>", bits); }
  unsigned getCodeBits() const override { return bits; }
  /// Two ends in fixed point, whose spare bits have room for the sign.
  int64_t getRunBytes() const override { return 2 * sizeof(int32_t); }

  RunRange findRange(ArrayRef<float> values) const override {
    RunRange range = findFloatRange(values);
    for (float value : values)
      addMagnitude(range, std::abs(value));
    return range;
  }

  RunFault fit(const RunRange &range, RunGrid &grid) const override {
    if (range.isFinite && range.low < 0 && range.high > 0)
      return RunFault::MixedSigns;
    grid.isNegative = range.low < 0;
    return fitLogGrid(range, grid);
  }

  void round(MutableArrayRef<float> values, const RunGrid &grid) const override {
    if (grid.scale == 0) {
      llvm::fill(values, 0.0f);
      return;
    }
    LogGrid magnitudes(grid, bits);
    for (float &value : values) {
      auto magnitude = static_cast<float>(magnitudes.round(std::abs(value)));
      value = grid.isNegative ? -magnitude : magnitude;
    }
  }

  void encode(ArrayRef<float> values, const RunGrid &grid,
              MutableArrayRef<uint32_t> codes) const override {
    if (grid.scale == 0) {
      llvm::fill(codes, 0);
      return;
    }
    LogGrid magnitudes(grid, bits);
    for (auto [value, code] : zip_equal(values, codes))
      code = static_cast<uint32_t>(magnitudes.getCode(std::abs(value)));
  }

  void decode(ArrayRef<uint32_t> codes, const RunGrid &grid,
              MutableArrayRef<float> values) const override {
    if (grid.scale == 0) {
      llvm::fill(values, 0.0f);
      return;
    }
    LogGrid magnitudes(grid, bits);
    for (auto [code, value] : zip_equal(codes, values)) {
      auto magnitude = static_cast<float>(magnitudes.getMagnitude(code));
      value = grid.isNegative ? -magnitude : magnitude;
    }
  }

  void storeGrid(const RunGrid &grid, uint8_t *bytes) const override { storeLogGrid(grid, bytes); }
  RunGrid loadGrid(const uint8_t *bytes) const override { return loadLogGrid(bytes); }

private:
  unsigned bits;
};

} // namespace

std::shared_ptr<const Numerics> makeLogNumerics(unsigned bits) {
  return std::make_shared<LogNumerics>(bits);
}

} // namespace ssmq
