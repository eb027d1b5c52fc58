//===- IntegerRounding.h - Rounding to integer formats ----------*- C++ -*-===//
//
// The arithmetic of lib/Formats/IntegerNumerics in generated code, bit for bit, for codes of at
// most 8 bits. A run of values that share a scale gives a range, the range a grid, and the grid the
// codes. What the interpreter refuses (values that are not finite, or too large for the scale)
// makes the scale NaN or infinite, so that what is computed from it is not finite either.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_INTEGERROUNDING_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_INTEGERROUNDING_H

#include "KernelBuilder.h"
#include "ssmq/Formats/Numerics.h"

namespace mlir::ssm {

class IntegerRounding {
public:
  using Values = KernelBuilder::Values;

  /// Scalars in f32, or vectors where every lane has its own. Codes are in steps of the scale from
  /// zero; `lowValue` and `highValue`, from where on values take the codes at the ends, are null in
  /// symmetric formats.
  struct Grid {
    Value scale, divisor, lowCode, highCode, lowValue, highValue;
  };

  IntegerRounding(KernelBuilder &k, const ::ssmq::Numerics &numerics)
      : k(k), bits(numerics.getCodeBits()), isSymmetric(!numerics.isAsymmetric()) {}

  /// Carried by a loop over the values of a run: vectors of `lanes` lanes.
  Values startRange(int64_t lanes);
  /// Takes in a vector, which may be shorter.
  Values addToRange(ValueRange range, Value x);
  Grid fit(ValueRange range);
  /// The grid of a calibrated range.
  Grid fitStatic(const ::ssmq::RunGrid &grid);

  /// A constant buffer of many such grids, and what it holds for one run (`lanes` 0) or, a lane
  /// each, for several.
  Value makeTable(ArrayRef<::ssmq::RunGrid> grids);
  Grid loadGrid(Value table, Value run, int64_t lanes);

  /// Codes of a vector, in steps from zero, as whole f32.
  Value roundToSteps(Value x, const Grid &grid);
  /// `rounded`, NaN where x is not finite.
  Value keepNonFinite(Value x, Value rounded);

private:
  Value roundScaleUp(Value scale);
  Grid fitSymmetric(Value width);
  Grid fitAsymmetric(Value low, Value high);
  std::pair<Value, Value> fixEnds(const Grid &grid);

  KernelBuilder &k;
  int64_t bits;
  bool isSymmetric;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_INTEGERROUNDING_H
