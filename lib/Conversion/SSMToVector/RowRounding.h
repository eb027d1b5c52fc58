//===- RowRounding.h - States rounded behind a token ------------*- C++ -*-===//
//
// A row of a state in registers, whose numbers are rounded behind each token to the format of the
// state, as the interpreter does it. Lanes that pad a row are zeros, which every range holds.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_ROWROUNDING_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_ROWROUNDING_H

#include "StateRows.h"
#include "VectorRounding.h"

namespace mlir::ssm {

class RowRounding {
public:
  using Values = KernelBuilder::Values;
  using Grid = VectorRounding::Grid;
  /// Of the runs of a row in order, or one for all.
  using Grids = SmallVector<Grid>;

  static bool handles(const ::ssmq::Format &format);

  /// `ranges` are those of a static format. Rows are heads.
  RowRounding(KernelBuilder &k, const StateRows &rows, const ::ssmq::Format &format,
              ArrayRef<float> ranges);

  /// Whether one grid holds all rows and follows from them, so that none can be rounded before all
  /// are known.
  bool needsAllRows() const { return isShared; }
  /// Calibrated grids of a row; none where a row gives its own.
  Grids loadGrids(Value row);
  /// Rounds the vectors of a row to known grids, or else to their own.
  void round(MutableArrayRef<Value> row, const Grids &known);

  /// The range of many rows.
  Values startRange() { return rounding.startRange(rows.getLanes()); }
  Values addToRange(ValueRange range, ArrayRef<Value> row);
  Grid fit(ValueRange range) { return rounding.fit(range); }

private:
  Grids fitRuns(ArrayRef<Value> row);

  KernelBuilder &k;
  const StateRows &rows;
  VectorRounding rounding;
  bool isShared;
  /// Of calibrated grids, if there are any.
  Value table;
  int64_t numGrids = 0, gridsPerRow = 1;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_ROWROUNDING_H
