//===- MicroscalingNumerics.cpp - MXFP4 -----------------------------------===//
//
// OCP Microscaling Formats v1.0, MXFP4: 32 values share the scale 2^k (E8M0) with
//   k = floor(log2 max |x|) - 2,   value = round(x / 2^k) * 2^k,
// round being to E2M1 (0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives), saturating (section 6.3).
//
//===----------------------------------------------------------------------===//

#include "FloatRange.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/SmallFloat.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace ssmq {

namespace {

class MicroscalingNumerics final : public RunNumerics<MicroscalingNumerics> {
public:
  std::string getSpelling() const override { return "mxfp4"; }
  unsigned getCodeBits() const override { return 4; }
  int64_t getRunBytes() const override { return sizeof(uint8_t); }
  std::optional<Sharing> getDefaultSharing() const override { return Sharing{Sharing::Group, 32}; }
  bool hasFixedSharing() const override { return true; }
  RunRange findRange(ArrayRef<float> values) const override { return findMagnitudeRange(values); }

  RunFault fit(const RunRange &range, RunGrid &grid) const override {
    if (!range.isFinite)
      return RunFault::NotFinite;
    constexpr int kLeastExponent = -127, kElementExponent = 2;
    float most = std::max(range.high, -range.low);
    if (most > 0)
      grid.scale = std::ldexp(1.0f, std::max(std::ilogb(most) - kElementExponent, kLeastExponent));
    return RunFault::None;
  }

  void round(MutableArrayRef<float> values, const RunGrid &grid) const override {
    roundScaled(values, grid.scale, kE2M1);
  }

  void encode(ArrayRef<float> values, const RunGrid &grid,
              MutableArrayRef<uint32_t> codes) const override {
    encodeScaled(values, grid.scale, kE2M1, 4, codes);
  }

  void decode(ArrayRef<uint32_t> codes, const RunGrid &grid,
              MutableArrayRef<float> values) const override {
    decodeScaled(codes, grid.scale, kE2M1, 4, values);
  }

  /// E8M0: the exponent and 127. A run of zeros takes the least.
  void storeGrid(const RunGrid &grid, uint8_t *bytes) const override {
    *bytes = grid.scale ? static_cast<uint8_t>(std::ilogb(grid.scale) + 127) : 0;
  }

  RunGrid loadGrid(const uint8_t *bytes) const override {
    RunGrid grid;
    grid.scale = std::ldexp(1.0f, *bytes - 127);
    return grid;
  }
};

} // namespace

std::shared_ptr<const Numerics> makeMicroscalingNumerics() {
  return std::make_shared<MicroscalingNumerics>();
}

} // namespace ssmq
