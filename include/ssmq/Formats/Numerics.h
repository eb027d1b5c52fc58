//===- Numerics.h - How values that share a scale are rounded ---*- C++ -*-===//
//
// A numerics knows one run of values: it finds their range, fits a grid to the range, and rounds
// values to the grid. Ranges merge exactly (minimum and maximum only), so that a long run can be
// cut among threads. Rounding is to nearest, ties to even, and works in place.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_NUMERICS_H
#define SSMQ_FORMATS_NUMERICS_H

#include "ssmq/Formats/Sharing.h"
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace ssmq {

/// What a grid is fitted to. Numerics of complex values fill in magnitudes only.
struct RunRange {
  /// Around zero: low <= 0 <= high.
  float low = 0, high = 0;
  /// Magnitudes of the values that are not zero.
  double leastMagnitude = std::numeric_limits<double>::infinity(), mostMagnitude = 0;
  bool hasZeros = false, isFinite = true;

  void merge(const RunRange &other);
};

/// Why a run cannot be held.
enum class RunFault : uint8_t { None, NotFinite, TooLarge, MixedSigns, MixedZeros, OutsideDisc };

/// The values that a run can take. Which fields matter is up to the numerics.
struct RunGrid {
  float scale = 0;
  /// In steps of `scale`.
  float lowCode = 0, highCode = 0;
  /// From where on values take the codes at the ends.
  double lowValue = 0, highValue = 0;
  /// Ends of a logarithmic grid, base 2, in units of 2^-20.
  int32_t lowExponent = 0, highExponent = 0;
  bool isNegative = false;
};

class IntegerNumerics;

class Numerics {
public:
  virtual ~Numerics();

  /// "i4 sym", "f8E4M3", ...
  virtual std::string getSpelling() const = 0;
  /// Bits of the code of a value (of both parts of a complex one), at most 20.
  virtual unsigned getCodeBits() const = 0;
  /// Bytes of the codes of a row, rounded up to whole bytes.
  int64_t getRowBytes(int64_t columns) const;
  /// Bytes of what a run has beside its codes: scale, zero point, ends of a range.
  virtual int64_t getRunBytes() const = 0;
  /// Values that belong together: 2 for complex numbers, whose parts are neighbours.
  virtual int64_t getValueSize() const { return 1; }
  /// Whether a grid can be fitted to a range given from outside, values beyond it being clipped.
  virtual bool canClip() const { return false; }
  /// Whether a grid has its own ends for negative and positive values.
  virtual bool isAsymmetric() const { return false; }
  /// Who shares a scale where a spelling does not say; none where it has to.
  virtual std::optional<Sharing> getDefaultSharing() const { return std::nullopt; }
  /// Whether the default is part of the definition, or there is no scale, so that it is not
  /// spelled.
  virtual bool hasFixedSharing() const { return false; }
  virtual const IntegerNumerics *getInteger() const { return nullptr; }
  /// Whether all that can be decoded, from any codes and grid, are complex values of |z| < 1.
  virtual bool isInsideUnitDisc() const { return false; }

  virtual RunRange findRange(llvm::ArrayRef<float> values) const = 0;
  virtual RunFault fit(const RunRange &range, RunGrid &grid) const = 0;
  virtual void round(llvm::MutableArrayRef<float> values, const RunGrid &grid) const = 0;
  /// Codes in their low bits, one a value (`getValueSize` floats), and back: decode(encode(x)) is
  /// round(x), bit for bit. Any codes can be decoded.
  virtual void encode(llvm::ArrayRef<float> values, const RunGrid &grid,
                      llvm::MutableArrayRef<uint32_t> codes) const = 0;
  virtual void decode(llvm::ArrayRef<uint32_t> codes, const RunGrid &grid,
                      llvm::MutableArrayRef<float> values) const = 0;
  /// What decode needs of a grid in getRunBytes() bytes, little-endian, and back.
  virtual void storeGrid(const RunGrid &grid, uint8_t *bytes) const = 0;
  virtual RunGrid loadGrid(const uint8_t *bytes) const = 0;
  /// Rounds each run of `runSize` values (the last may be shorter) to a grid of its own.
  virtual RunFault roundRuns(llvm::MutableArrayRef<float> values, int64_t runSize) const = 0;
};

/// Implements roundRuns without a virtual call a run.
template <typename Derived>
class RunNumerics : public Numerics {
public:
  RunFault roundRuns(llvm::MutableArrayRef<float> values, int64_t runSize) const final {
    const auto &self = static_cast<const Derived &>(*this);
    // Ranges of a few runs, then their grids, then their values: each loop's turns are independent
    // and short, which a processor overlaps.
    constexpr int64_t kRuns = 16;
    while (!values.empty()) {
      auto size = std::min<int64_t>(values.size(), kRuns * runSize);
      llvm::MutableArrayRef<float> block = values.take_front(size);
      RunRange ranges[kRuns];
      RunGrid grids[kRuns];
      int64_t count = (size + runSize - 1) / runSize;
      for (int64_t i = 0; i < count; ++i)
        ranges[i] = self.Derived::findRange(block.slice(i * runSize).take_front(runSize));
      for (int64_t i = 0; i < count; ++i) {
        RunFault fault = self.Derived::fit(ranges[i], grids[i]);
        if (fault != RunFault::None)
          return fault;
      }
      for (int64_t i = 0; i < count; ++i)
        self.Derived::round(block.slice(i * runSize).take_front(runSize), grids[i]);
      values = values.drop_front(size);
    }
    return RunFault::None;
  }
};

/// Uniform integers of 2 to 8 or 16 bits.
std::shared_ptr<const Numerics> makeIntegerNumerics(unsigned bits, bool symmetric);
/// Floats as they are: f16, bf16.
std::shared_ptr<const Numerics> makeHalfNumerics();
std::shared_ptr<const Numerics> makeBFloatNumerics();
/// OCP 8-bit floats with an f16 scale.
std::shared_ptr<const Numerics> makeE4M3Numerics();
std::shared_ptr<const Numerics> makeE5M2Numerics();
/// OCP MXFP4, NF4 of QLoRA.
std::shared_ptr<const Numerics> makeMicroscalingNumerics();
std::shared_ptr<const Numerics> makeNormalFloat4Numerics();
/// Logarithms of real values of one sign (1 to 16 bits), of complex ones (1 to 8 bits of magnitude,
/// 2 to 12 of phase). A stable one holds complex values of |z| < 1 and nothing else.
std::shared_ptr<const Numerics> makeLogNumerics(unsigned bits);
std::shared_ptr<const Numerics> makeLogPolarNumerics(unsigned magnitudeBits, unsigned phaseBits,
                                                     bool isStable);

} // namespace ssmq

#endif // SSMQ_FORMATS_NUMERICS_H
