//===- CodebookNumerics.cpp - NF4 -----------------------------------------===//
//
// NormalFloat4 of QLoRA (arXiv 2305.14314, appendix E): 16 values at the quantiles of a normal
// distribution, times the largest magnitude of the run, which is rounded up to f16:
//   value = nearest(x / scale) * scale.
// Midpoints go to the value of even index.
//
//===----------------------------------------------------------------------===//

#include "FloatRange.h"
#include "ScaleTypes.h"
#include "ssmq/Formats/Numerics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include <array>
#include <cmath>

using namespace llvm;

namespace ssmq {

static constexpr std::array<float, 16> kNormalFloat4 = {-1.0f,
                                                        -0.6961928009986877f,
                                                        -0.5250730514526367f,
                                                        -0.39491748809814453f,
                                                        -0.28444138169288635f,
                                                        -0.18477343022823334f,
                                                        -0.09105003625154495f,
                                                        0.0f,
                                                        0.07958029955625534f,
                                                        0.16093020141124725f,
                                                        0.24611230194568634f,
                                                        0.33791524171829224f,
                                                        0.44070982933044434f,
                                                        0.5626170039176941f,
                                                        0.7229568362236023f,
                                                        1.0f};

namespace {

class CodebookNumerics final : public RunNumerics<CodebookNumerics> {
public:
  CodebookNumerics() {
    for (size_t i = 0; i < bounds.size(); ++i) {
      bounds[i] = (kNormalFloat4[i] + kNormalFloat4[i + 1]) / 2;
      if (i % 2) // a midpoint goes up, to an even index
        bounds[i] = std::nextafter(bounds[i], -1.0f);
    }
  }

  std::string getSpelling() const override { return "nf4"; }
  unsigned getCodeBits() const override { return 4; }
  int64_t getRunBytes() const override { return sizeof(uint16_t); }
  std::optional<Sharing> getDefaultSharing() const override { return Sharing{Sharing::Group, 64}; }
  RunRange findRange(ArrayRef<float> values) const override { return findFloatRange(values); }

  RunFault fit(const RunRange &range, RunGrid &grid) const override {
    if (!range.isFinite)
      return RunFault::NotFinite;
    grid.scale = roundUpToHalf(std::max(range.high, -range.low));
    if (!std::isfinite(grid.scale))
      return RunFault::TooLarge;
    // Where scales are coarse, the largest value may not reach the largest of the codebook.
    if (grid.scale)
      grid.scale = roundUpToHalf(
          std::max(findNearest(range.high / grid.scale), -findNearest(range.low / grid.scale)) *
          grid.scale);
    return RunFault::None;
  }

  void round(MutableArrayRef<float> values, const RunGrid &grid) const override {
    const float scale = grid.scale, divisor = scale ? scale : 1;
    for (float &value : values)
      value = findNearest(value / divisor) * scale;
  }

  void encode(ArrayRef<float> values, const RunGrid &grid,
              MutableArrayRef<uint32_t> codes) const override {
    const float divisor = grid.scale ? grid.scale : 1;
    for (auto [value, code] : zip_equal(values, codes)) {
      const float x = value / divisor;
      code = count_if(bounds, [=](float bound) { return x > bound; });
    }
  }

  void decode(ArrayRef<uint32_t> codes, const RunGrid &grid,
              MutableArrayRef<float> values) const override {
    for (auto [code, value] : zip_equal(codes, values))
      value = kNormalFloat4[code % kNormalFloat4.size()] * grid.scale;
  }

  void storeGrid(const RunGrid &grid, uint8_t *bytes) const override {
    support::endian::write16le(bytes, floatToHalf(grid.scale));
  }

  RunGrid loadGrid(const uint8_t *bytes) const override {
    RunGrid grid;
    grid.scale = halfToFloat(support::endian::read16le(bytes));
    return grid;
  }

private:
  float findNearest(float x) const {
    float nearest = kNormalFloat4[0];
    for (size_t i = 0; i < bounds.size(); ++i)
      nearest = x > bounds[i] ? kNormalFloat4[i + 1] : nearest;
    return nearest;
  }

  /// Above bounds[i] the nearest value is one behind i.
  std::array<float, 15> bounds;
};

} // namespace

std::shared_ptr<const Numerics> makeNormalFloat4Numerics() {
  return std::make_shared<CodebookNumerics>();
}

} // namespace ssmq
