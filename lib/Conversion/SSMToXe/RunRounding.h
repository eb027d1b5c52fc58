//===- RunRounding.h - Rounding of runs that share a scale ------*- C++ -*-===//
//
// Ranges of values, found by a work-item, a sub-group or a work-group among the bits as integers,
// where NaN is largest and no comparison is unordered.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_RUNROUNDING_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_RUNROUNDING_H

#include "XeBuilder.h"
#include "ssmq/Conversion/Rounding/RunGrids.h"

namespace mlir::ssm {

class RunRounding {
public:
  using Values = XeBuilder::Values;

  RunRounding(XeBuilder &k, const ::ssmq::Numerics &numerics)
      : grids(k, numerics), k(k), isSymmetric(!numerics.isAsymmetric()) {}

  Values startRange();
  Values addToRange(ValueRange range, Value x);
  /// The range of what all lanes of the sub-group, or all of the work-group, have taken in.
  Values mergeSubgroup(ValueRange range);
  Values mergeGroup(ValueRange range);
  IntegerGrid fit(ValueRange range);

  /// Numbers of many calibrated grids in a constant, and the grid of one run.
  Place makeTable(ArrayRef<::ssmq::RunGrid> known);
  IntegerGrid loadGrid(const Place &table, Value run);

  RunGrids grids;

private:
  Values merge(ValueRange range, function_ref<Value(Value, XeBuilder::Combine)> reduce);

  XeBuilder &k;
  bool isSymmetric;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_RUNROUNDING_H
