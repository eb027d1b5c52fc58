//===- FloatNumerics.cpp - Floats of 16 bits, and of 8 with a scale -------===//
//
// f16 and bf16 have no scale; what would round to infinity is refused. f8E4M3 and f8E5M2 are
//   scale = max |x| / most,   value = round(x / scale) * scale,
// most being 448 and 57344; the scale is rounded up to f16, so that nothing saturates.
//
//===----------------------------------------------------------------------===//

#include "FloatRange.h"
#include "ScaleTypes.h"
#include "SmallFloat.h"
#include "ssmq/Formats/Numerics.h"

using namespace llvm;

namespace ssmq {

static float getMostMagnitude(const RunRange &range) { return std::max(range.high, -range.low); }

namespace {

class HalfNumerics final : public RunNumerics<HalfNumerics> {
public:
  std::string getSpelling() const override { return "f16"; }
  int64_t getRowBytes(int64_t columns) const override { return 2 * columns; }
  int64_t getRunBytes() const override { return 0; }
  std::optional<Sharing> getDefaultSharing() const override {
    return Sharing{Sharing::PerTensor, 0};
  }
  bool hasFixedSharing() const override { return true; }
  RunRange findRange(ArrayRef<float> values) const override { return findMagnitudeRange(values); }

  RunFault fit(const RunRange &range, RunGrid &) const override {
    if (!range.isFinite)
      return RunFault::NotFinite;
    // Half a step past the largest f16.
    return getMostMagnitude(range) < 65520.0f ? RunFault::None : RunFault::TooLarge;
  }

  void round(MutableArrayRef<float> values, const RunGrid &) const override {
    for (float &value : values)
      value = roundToSmallFloat(value, kHalf);
  }
};

class BFloatNumerics final : public RunNumerics<BFloatNumerics> {
public:
  std::string getSpelling() const override { return "bf16"; }
  int64_t getRowBytes(int64_t columns) const override { return 2 * columns; }
  int64_t getRunBytes() const override { return 0; }
  std::optional<Sharing> getDefaultSharing() const override {
    return Sharing{Sharing::PerTensor, 0};
  }
  bool hasFixedSharing() const override { return true; }
  RunRange findRange(ArrayRef<float> values) const override { return findMagnitudeRange(values); }

  RunFault fit(const RunRange &range, RunGrid &) const override {
    if (!range.isFinite)
      return RunFault::NotFinite;
    // Half a step past the largest bf16.
    return getMostMagnitude(range) < 0x1.ffp127f ? RunFault::None : RunFault::TooLarge;
  }

  void round(MutableArrayRef<float> values, const RunGrid &) const override {
    for (float &value : values) {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
      std::memcpy(&value, &bits, sizeof(bits));
    }
  }
};

template <bool isE4M3>
class ScaledFloatNumerics final : public RunNumerics<ScaledFloatNumerics<isE4M3>> {
  static constexpr SmallFloat kType = isE4M3 ? kE4M3 : kE5M2;

public:
  std::string getSpelling() const override { return isE4M3 ? "f8E4M3" : "f8E5M2"; }
  int64_t getRowBytes(int64_t columns) const override { return columns; }
  int64_t getRunBytes() const override { return sizeof(uint16_t); }
  bool canClip() const override { return true; }
  RunRange findRange(ArrayRef<float> values) const override { return findMagnitudeRange(values); }

  RunFault fit(const RunRange &range, RunGrid &grid) const override {
    if (!range.isFinite)
      return RunFault::NotFinite;
    float most = getMostMagnitude(range);
    grid.scale = roundUpToHalf(most / kType.most);
    if (!std::isfinite(grid.scale))
      return RunFault::TooLarge;
    // Where scales are coarse, the largest value may not reach the largest float.
    if (grid.scale)
      grid.scale =
          roundUpToHalf(roundToSmallFloat(most / grid.scale, kType) * grid.scale / kType.most);
    return RunFault::None;
  }

  void round(MutableArrayRef<float> values, const RunGrid &grid) const override {
    const float scale = grid.scale, divisor = scale ? scale : 1;
    for (float &value : values)
      value = roundToSmallFloat(value / divisor, kType) * scale;
  }
};

} // namespace

std::shared_ptr<const Numerics> makeHalfNumerics() { return std::make_shared<HalfNumerics>(); }

std::shared_ptr<const Numerics> makeBFloatNumerics() { return std::make_shared<BFloatNumerics>(); }

std::shared_ptr<const Numerics> makeE4M3Numerics() {
  return std::make_shared<ScaledFloatNumerics<true>>();
}

std::shared_ptr<const Numerics> makeE5M2Numerics() {
  return std::make_shared<ScaledFloatNumerics<false>>();
}

} // namespace ssmq
