//===- IntegerFormat.h - Uniform integers with f16 scales -------*- C++ -*-===//
//
// Symmetric, b bits, q = 2^(b-1) - 1:
//   scale = max |x| / q,                code = round(x / scale) in [-q, q].
// The code -2^(b-1) is not used, so that a format and its negation are the same.
//
// Asymmetric, over [lo, hi] = [min(x, 0), max(x, 0)]:
//   scale = (hi - lo) / (2^b - 1),      zero = round(-lo / scale) - 2^(b-1),
//   code = round(x / scale) + zero      in [-2^(b-1), 2^(b-1) - 1].
//
// round is to nearest, ties to even. Scales are rounded up to f16, so that no symmetric code
// clips: |x - value| <= scale / 2 (asymmetric: scale, at the ends of the range). A run of zeros
// has scale 0.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_INTEGERFORMAT_H
#define SSMQ_FORMATS_INTEGERFORMAT_H

#include "ssmq/Formats/Format.h"

namespace ssmq {

class IntegerFormat : public Format {
public:
  /// `bits` in 2..8; `groupSize` 0 shares one scale in a whole row.
  IntegerFormat(unsigned bits, bool symmetric, int64_t groupSize)
      : bits(bits), symmetric(symmetric), groupSize(groupSize) {}

  std::string getSpelling() const override;
  unsigned getCodeBits() const override { return bits; }
  bool hasZeroPoints() const override { return !symmetric; }
  int64_t getGroupSize(int64_t columns) const override;
  llvm::Expected<QuantizedTensor> quantize(const Tensor &weight, unsigned threads) const override;

private:
  unsigned bits;
  bool symmetric;
  int64_t groupSize;
};

} // namespace ssmq

#endif // SSMQ_FORMATS_INTEGERFORMAT_H
