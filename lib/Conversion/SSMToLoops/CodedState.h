//===- CodedState.h - A state in the codes of its format --------*- C++ -*-===//
//
// A state in integers of up to 8 bits is a byte a number, of 16 bits two; one in f16 or f32 a
// float. A code counts steps of its scale from zero, modulo the size of its type, so that zero
// bytes are zeros in every format. Dynamic formats, of up to 8 bits, have a row of {scale, least
// code} in f16 for each row of the state that has a scale of its own.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOLOOPS_CODEDSTATE_H
#define SSMQ_LIB_CONVERSION_SSMTOLOOPS_CODEDSTATE_H

#include "LoopBuilder.h"
#include "ssmq/Conversion/Rounding/IntegerGrids.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

namespace mlir::ssm {

class CodedState {
public:
  /// Fails for formats without loops.
  static FailureOr<CodedState> of(DiagonalScanOp op);

  RankedTensorType getType() const { return type; }
  /// Null unless grids follow from values.
  RankedTensorType getGridsType() const { return gridsType; }
  bool isDynamic() const { return gridsType != nullptr; }
  /// Whether all rows share one grid.
  bool isShared() const { return numGrids == 1; }

  /// The grid of a row when it is read, and written in static formats. Null values for floats.
  struct Grid {
    IntegerGrid values;
    Value least;
  };
  Grid load(LoopBuilder &b, Value grids, Value row) const;

  /// Largest magnitude, or low and high.
  LoopBuilder::Values startRange(LoopBuilder &b) const;
  LoopBuilder::Values widenRange(LoopBuilder &b, ValueRange range, Value number) const;
  Grid fit(LoopBuilder &b, ValueRange range) const;
  /// `grids` with that of `row`.
  Value store(LoopBuilder &b, const Grid &grid, Value grids, Value row) const;

  Value decode(LoopBuilder &b, const Grid &grid, Value stored) const;
  Value encode(LoopBuilder &b, const Grid &grid, Value number) const;

private:
  Value gridRow(LoopBuilder &b, Value row) const { return isShared() ? b.index(0) : row; }

  RankedTensorType type, gridsType;
  /// Null for floats.
  std::shared_ptr<const ::ssmq::Format> format;
  bool isSymmetric = true;
  int64_t numGrids = 0;
  /// Of static formats: the parts of IntegerGrids, each of all rows.
  std::vector<float> parts;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOLOOPS_CODEDSTATE_H
