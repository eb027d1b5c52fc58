//===- IntegerNumerics.h - Uniform integers ---------------------*- C++ -*-===//
//
// Symmetric, b bits, q = 2^(b-1) - 1:
//   scale = max |x| / q,                code = round(x / scale) in [-q, q].
// The code -2^(b-1) is not used, so that a format and its negation are the same.
//
// Asymmetric, over [lo, hi] = [min(x, 0), max(x, 0)]:
//   scale = (hi - lo) / (2^b - 1),      zero = round(-lo / scale) - 2^(b-1),
//   code = round(x / scale) + zero      in [-2^(b-1), 2^(b-1) - 1].
//
// Scales are rounded up to f16 (16 bits: to bf16, so that code * scale is exact in f32), so that no
// symmetric code clips: |x - value| <= scale / 2 (asymmetric: scale, at the ends of the range).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_FORMATS_INTEGERNUMERICS_H
#define SSMQ_LIB_FORMATS_INTEGERNUMERICS_H

#include "ssmq/Formats/Numerics.h"

namespace ssmq {

class IntegerNumerics final : public RunNumerics<IntegerNumerics> {
public:
  IntegerNumerics(unsigned bits, bool symmetric) : bits(bits), symmetric(symmetric) {}

  unsigned getBits() const { return bits; }
  bool hasZeroPoints() const { return !symmetric; }
  /// Codes of at most 8 bits; returns the zero point of the run (0 where there is none).
  int8_t encodeBytes(llvm::ArrayRef<float> values, const RunGrid &grid, int8_t *codes) const;

  std::string getSpelling() const override;
  unsigned getCodeBits() const override { return bits; }
  int64_t getRunBytes() const override;
  bool canClip() const override { return true; }
  bool isAsymmetric() const override { return !symmetric; }
  const IntegerNumerics *getInteger() const override { return this; }
  RunRange findRange(llvm::ArrayRef<float> values) const override;
  RunFault fit(const RunRange &range, RunGrid &grid) const override;
  void round(llvm::MutableArrayRef<float> values, const RunGrid &grid) const override;
  void encode(llvm::ArrayRef<float> values, const RunGrid &grid,
              llvm::MutableArrayRef<uint32_t> codes) const override;
  void decode(llvm::ArrayRef<uint32_t> codes, const RunGrid &grid,
              llvm::MutableArrayRef<float> values) const override;
  void storeGrid(const RunGrid &grid, uint8_t *bytes) const override;
  RunGrid loadGrid(const uint8_t *bytes) const override;

private:
  int getLowestCode() const { return -(1 << (bits - 1)); }
  int getZeroPoint(const RunGrid &grid) const;
  /// Codes from the lowest to the highest: 2q or 2^b - 1 steps.
  float getNumSteps() const { return static_cast<float>((1u << bits) - (symmetric ? 2 : 1)); }
  float roundScaleUp(float scale) const;
  /// Moves an end of an asymmetric grid so that the grid is the one its own ends give.
  void fixEnds(RunGrid &grid) const;

  unsigned bits;
  bool symmetric;
};

} // namespace ssmq

#endif // SSMQ_LIB_FORMATS_INTEGERNUMERICS_H
