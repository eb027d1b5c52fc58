//===- StoredState.h - States as they lie in memory -------------*- C++ -*-===//
//
// Numbers of a scan's state: f32, f16, bf16, or i8 codes with f16 scales (value = code * scale) of
// runs of a row or of several rows. Scales are fitted as lib/Formats does for `i8 sym`.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_STOREDSTATE_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_STOREDSTATE_H

#include "LaunchScope.h"
#include "ssmq/Conversion/Rounding/IntegerGrids.h"

namespace mlir::ssm {

class StoredStatePlaces {
public:
  template <typename ScanOp>
  StoredStatePlaces(LaunchScope &scope, ScanOp op)
      : StoredStatePlaces(scope, op, op.getState(), op.getNextState(), op.getStateScales(),
                          op.getNextScales()) {}

  int64_t getColumns() const { return columns; }
  /// Columns and rows that share a scale; 0 without scales.
  int64_t getRunColumns() const { return runColumns; }
  int64_t getRunRows() const { return runRows; }
  /// Whether the op leaves a state that is read.
  bool isStored() const { return next != nullptr; }

  /// In f32.
  Value load(ArrayRef<Value> indices, Value column) const;
  void store(Value number, ArrayRef<Value> indices, Value column, const IntegerGrid &grid) const;
  /// Takes the bits of a number's magnitude into the largest ones, where NaN is above all.
  Value takeMost(Value most, Value number) const;
  IntegerGrid fit(Value mostBits) const;
  /// By one work-item.
  void storeScale(const IntegerGrid &grid, ArrayRef<Value> indices, Value run) const;
  void storeScale(const IntegerGrid &grid, ArrayRef<Value> indices, int64_t run) const {
    storeScale(grid, indices, k.index(run));
  }

  XeBuilder &k;

private:
  StoredStatePlaces(LaunchScope &scope, QuantizableOpInterface op, Value state, Value nextState,
                    Value scales, Value nextScales);
  /// Of the scales, for the row at `indices` of the state.
  Value getScaleRow(ArrayRef<Value> indices) const;

  const Place *state, *next, *scales, *nextScales;
  ArrayRef<int64_t> shape;
  int64_t columns, runColumns = 0, runRows = 0;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_STOREDSTATE_H
