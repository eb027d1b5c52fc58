//===- StoredMatrix.h - Numbers of a weight, in any format ------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOLOOPS_STOREDMATRIX_H
#define SSMQ_LIB_CONVERSION_SSMTOLOOPS_STOREDMATRIX_H

#include "LoopBuilder.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Tiling.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// A matrix or vector whose numbers are decoded when they are read.
class StoredMatrix {
public:
  /// Of a float tensor or an ssm.dequantize; fails for formats without loops, without a word, or
  /// when a weight cannot be read.
  static FailureOr<StoredMatrix> of(Value value, const WeightLookup &lookup);
  /// The weight of a linear layer, float, encoded or in codes with scales.
  static FailureOr<StoredMatrix> of(LinearOp op, const WeightLookup &lookup);

  /// What the numbers of a row share, read once.
  struct Row {
    Value index;
    /// Null where a row has several.
    Value scale, zeroPoint;
  };
  Row open(LoopBuilder &b, Value row) const;
  bool hasScalePerRow() const { return isInteger() && runsPerRow == 1; }
  /// Number `column` in f32.
  Value load(LoopBuilder &b, const Row &row, Value column) const;
  /// The same but for a scale of the row.
  Value loadSteps(LoopBuilder &b, const Row &row, Value column) const;
  /// Number `place` of a vector, which is stored as a row or as a column.
  Value loadOfVector(LoopBuilder &b, Value place) const;
  /// Complex number `number`: columns 2 number and 2 number + 1.
  std::pair<Value, Value> loadComplex(LoopBuilder &b, const Row &row, Value number) const;

private:
  bool isInteger() const { return bits != 0 && magnitudeBits == 0; }
  FailureOr<bool> readLogPolar(DequantizeOp op, const WeightLookup &lookup);
  static StoredMatrix ofTiles(LinearOp op);
  Value loadTiledCode(LoopBuilder &b, Value row, Value column) const;
  Value loadOfGroup(LoopBuilder &b, Value table, Value row, Value column) const;
  Value getRun(LoopBuilder &b, Value row, Value column) const;
  Value loadScale(LoopBuilder &b, Value run, Value row, Value column) const;
  /// Null for symmetric formats.
  Value loadZeroPoint(LoopBuilder &b, Value run, Value row, Value column) const;
  /// Bits [index * bits, ...) of a row in i32, the upper ones anything.
  Value loadCode(LoopBuilder &b, Value row, Value index) const;

  /// Numbers, or rows of bytes.
  Value data;
  /// Of a code; 0 for floats.
  unsigned bits = 0;
  /// Runs of encoded formats, f16 or bf16 and the zero point in a row of bytes; or those of a
  /// linear layer, by row and group.
  Value runs, scales, zeroPoints;
  bool isAsymmetric = false;
  std::optional<::ssmq::TileLayout> tiles;
  /// Rows that share a run; or the runs of a row, and the columns of one.
  int64_t rowsOfRun = 1, runsPerRow = 1, runColumns = 1;
  /// Of logpolar: bits, magnitudes by run and code, and cosines of a quarter of a turn.
  unsigned magnitudeBits = 0;
  std::vector<float> magnitudes, cosines;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOLOOPS_STOREDMATRIX_H
