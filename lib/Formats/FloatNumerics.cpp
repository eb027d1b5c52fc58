//===- FloatNumerics.cpp - Floats of 16 bits, and of 8 with a scale -------===//
//
// f16 and bf16 have no scale; what would round to infinity is refused. f8E4M3 and f8E5M2 are
//   scale = max |x| / most,   value = round(x / scale) * scale,
// most being 448 and 57344; the scale is rounded up to f16, so that nothing saturates.
//
//===----------------------------------------------------------------------===//

#include "FloatRange.h"
#include "ScaleTypes.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/SmallFloat.h"
#include "ssmq/Support/HalfFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace ssmq {

static float getMostMagnitude(const RunRange &range) { return std::max(range.high, -range.low); }

namespace {

struct Half {
  static constexpr StringLiteral spelling = "f16";
  /// Half a step past the largest.
  static constexpr float tooLarge = 65520;
  static float round(float value) { return roundToSmallFloat(value, kHalf); }
  static uint16_t encode(float value) { return floatToHalf(value); }
  static float decode(uint16_t code) { return halfToFloat(code); }
};

struct BFloat {
  static constexpr StringLiteral spelling = "bf16";
  static constexpr float tooLarge = 0x1.ffp127f;
  static float round(float value) { return decode(encode(value)); }
  static uint16_t encode(float value) { return floatToBFloat(value); }
  static float decode(uint16_t code) { return bfloatToFloat(code); }
};

template <typename Type>
class FloatNumerics final : public RunNumerics<FloatNumerics<Type>> {
public:
  std::string getSpelling() const override { return Type::spelling.str(); }
  unsigned getCodeBits() const override { return 16; }
  int64_t getRunBytes() const override { return 0; }
  std::optional<Sharing> getDefaultSharing() const override {
    return Sharing{Sharing::PerTensor, 0};
  }
  bool hasFixedSharing() const override { return true; }
  RunRange findRange(ArrayRef<float> values) const override { return findMagnitudeRange(values); }

  RunFault fit(const RunRange &range, RunGrid &) const override {
    if (!range.isFinite)
      return RunFault::NotFinite;
    return getMostMagnitude(range) < Type::tooLarge ? RunFault::None : RunFault::TooLarge;
  }

  void round(MutableArrayRef<float> values, const RunGrid &) const override {
    for (float &value : values)
      value = Type::round(value);
  }

  void encode(ArrayRef<float> values, const RunGrid &,
              MutableArrayRef<uint32_t> codes) const override {
    for (auto [value, code] : zip_equal(values, codes))
      code = Type::encode(value);
  }

  void decode(ArrayRef<uint32_t> codes, const RunGrid &,
              MutableArrayRef<float> values) const override {
    for (auto [code, value] : zip_equal(codes, values))
      value = Type::decode(static_cast<uint16_t>(code));
  }

  void storeGrid(const RunGrid &, uint8_t *) const override {}
  RunGrid loadGrid(const uint8_t *) const override { return {}; }
};

template <bool isE4M3>
class ScaledFloatNumerics final : public RunNumerics<ScaledFloatNumerics<isE4M3>> {
  static constexpr SmallFloat kType = isE4M3 ? kE4M3 : kE5M2;

public:
  std::string getSpelling() const override { return isE4M3 ? "f8E4M3" : "f8E5M2"; }
  unsigned getCodeBits() const override { return 8; }
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
    roundScaled(values, grid.scale, kType);
  }

  void encode(ArrayRef<float> values, const RunGrid &grid,
              MutableArrayRef<uint32_t> codes) const override {
    encodeScaled(values, grid.scale, kType, 8, codes);
  }

  void decode(ArrayRef<uint32_t> codes, const RunGrid &grid,
              MutableArrayRef<float> values) const override {
    decodeScaled(codes, grid.scale, kType, 8, values);
  }

  void storeGrid(const RunGrid &grid, uint8_t *bytes) const override {
    support::endian::write16le(bytes, floatToHalf(grid.scale));
  }

  RunGrid loadGrid(const uint8_t *bytes) const override {
    RunGrid grid;
    grid.scale = halfToFloat(support::endian::read16le(bytes));
    return grid;
  }
};

} // namespace

std::shared_ptr<const Numerics> makeHalfNumerics() {
  return std::make_shared<FloatNumerics<Half>>();
}

std::shared_ptr<const Numerics> makeBFloatNumerics() {
  return std::make_shared<FloatNumerics<BFloat>>();
}

std::shared_ptr<const Numerics> makeE4M3Numerics() {
  return std::make_shared<ScaledFloatNumerics<true>>();
}

std::shared_ptr<const Numerics> makeE5M2Numerics() {
  return std::make_shared<ScaledFloatNumerics<false>>();
}

} // namespace ssmq
