//===- IntegerRounding.h - Rounding to integer formats ----------*- C++ -*-===//
//
// Ranges, grids and codes of vectors; the arithmetic is that of Rounding/IntegerGrids.h.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_INTEGERROUNDING_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_INTEGERROUNDING_H

#include "KernelBuilder.h"
#include "ssmq/Conversion/Rounding/IntegerGrids.h"

namespace mlir::ssm {

class IntegerRounding {
public:
  using Values = KernelBuilder::Values;

  using Grid = IntegerGrid;

  IntegerRounding(KernelBuilder &k, const ::ssmq::Numerics &numerics)
      : k(k), grids(k, numerics), isSymmetric(!numerics.isAsymmetric()) {}

  /// Carried by a loop over the values of a run: vectors of `lanes` lanes.
  Values startRange(int64_t lanes);
  /// Takes in a vector, which may be shorter.
  Values addToRange(ValueRange range, Value x);
  Grid fit(ValueRange range);
  /// The grid of a calibrated range.
  Grid fitStatic(const ::ssmq::RunGrid &grid) { return grids.fitStatic(grid); }

  /// A constant buffer of many such grids, and what it holds for one run (`lanes` 0) or, a lane
  /// each, for several.
  Value makeTable(ArrayRef<::ssmq::RunGrid> known);
  Grid loadGrid(Value table, Value run, int64_t lanes);

  /// Codes of a vector, in steps from zero, as whole f32.
  Value roundToSteps(Value x, const Grid &grid);
  /// `rounded`, NaN where x is not finite.
  Value keepNonFinite(Value x, Value rounded) { return grids.keepNonFinite(x, rounded); }

private:
  KernelBuilder &k;
  IntegerGrids grids;
  bool isSymmetric;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_INTEGERROUNDING_H
