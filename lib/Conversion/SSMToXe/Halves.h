//===- Halves.h - Numbers of f32 as blocks of f16 ---------------*- C++ -*-===//
//
// What dpas multiplies is f16, which has 11 bits between 2^-14 and 2^16. Blocks of numbers come
// into that range by a power of two, so that rounding is to 2^-11 of each number down to 2^-28 of
// the largest. In memory of the work-group, blocks are read as words of two numbers.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_HALVES_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_HALVES_H

#include "XeBuilder.h"

namespace mlir::ssm {

/// A power of two and its inverse, f32.
struct HalfScale {
  Value factor, inverse;
};
/// Takes numbers up to 2^15 at most; `most` holds the bits of the largest magnitude (i32).
HalfScale fitHalves(XeBuilder &k, Value most);
/// Takes the magnitudes of a vector's numbers into the bits of the largest one; NaN is above all.
Value takeMost(XeBuilder &k, Value most, Value numbers);
Value reduceMost(XeBuilder &k, Value most);

/// A vector of `count` times the number.
Value splat(XeBuilder &k, Value number, int64_t count);
/// A vector of f32, scaled and rounded to nearest.
Value roundToHalves(XeBuilder &k, Value numbers, Value factor);
Value roundToHalves(XeBuilder &k, Value numbers);

/// f16 [..., columns], columns even, in memory of the work-group.
class HalfBlocks {
public:
  HalfBlocks(XeBuilder &k, ArrayRef<int64_t> shape);

  /// `count` numbers; the last index is even.
  Value load(ValueRange indices, int64_t count) const;
  void store(Value halves, ValueRange indices) const;
  /// One number, f32.
  void storeNumber(Value number, ValueRange indices) const { k.store(number, halves, indices); }

private:
  Value getAddress(ValueRange indices) const { return k.address(halves, indices); }

  XeBuilder &k;
  Place halves;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_HALVES_H
