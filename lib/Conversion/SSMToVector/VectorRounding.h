//===- VectorRounding.h - Rounding of vectors to formats --------*- C++ -*-===//
//
// Ranges, grids and codes of vectors; the arithmetic is that of Rounding/RunGrids.h.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_VECTORROUNDING_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_VECTORROUNDING_H

#include "KernelBuilder.h"
#include "ssmq/Conversion/Rounding/RunGrids.h"

namespace mlir::ssm {

class VectorRounding {
public:
  using Values = KernelBuilder::Values;

  using Grid = IntegerGrid;

  VectorRounding(KernelBuilder &k, const ::ssmq::Numerics &numerics)
      : k(k), grids(k, numerics), isSymmetric(!numerics.isAsymmetric()) {}

  /// Carried by a loop over the values of a run: vectors of `lanes` lanes.
  Values startRange(int64_t lanes);
  /// Takes in a vector, which may be shorter.
  Values addToRange(ValueRange range, Value x);
  Grid fit(ValueRange range);
  /// The grid of a calibrated range.
  Grid fitStatic(const ::ssmq::RunGrid &grid) { return grids.integers.fitStatic(grid); }
  /// Whether runs have grids.
  bool hasGrids() const { return grids.hasGrids(); }

  /// A constant buffer of many such grids, and what it holds for one run (`lanes` 0) or, a lane
  /// each, for several.
  Value makeTable(ArrayRef<::ssmq::RunGrid> known);
  Grid loadGrid(Value table, Value run, int64_t lanes);

  /// A vector in the format, NaN where it is not finite.
  Value round(Value x, const Grid &grid);
  /// Of integers: codes of a vector, in steps from zero, as whole f32.
  Value roundToSteps(Value x, const Grid &grid);

private:
  KernelBuilder &k;
  RunGrids grids;
  bool isSymmetric;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_VECTORROUNDING_H
