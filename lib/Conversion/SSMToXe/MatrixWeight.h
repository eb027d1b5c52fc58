//===- MatrixWeight.h - The weight of a linear layer of many tokens *- C++ -===//
//
// Rows in tiles of 16, the lanes of a sub-group: floats in rows, or codes in tiles. Columns come in
// groups (one of all columns for floats) and in steps within a group, whose sums one scale
// multiplies.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_MATRIXWEIGHT_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_MATRIXWEIGHT_H

#include "TiledCodes.h"
#include <optional>

namespace mlir::ssm {

class MatrixWeight {
public:
  using Values = XeBuilder::Values;

  MatrixWeight(LaunchScope &scope, LinearOp op);

  static int64_t countTiles(LinearOp op);
  int64_t getNumTiles() const;
  int64_t getColumns() const { return columns; }
  int64_t getGroupSize() const { return codes ? codes->layout.getGroupSize() : columns; }
  bool isQuantized() const { return codes.has_value(); }
  Value getRow(Value tile) { return k.add(k.mul(tile, XeBuilder::kLanes), k.lane); }
  Value isRow(Value row) { return k.isLess(row, k.index(rows)); }

  /// Columns [offset, offset + count) of the group that begins at column `base`, offset a multiple
  /// of 8 and count static.
  struct Step {
    Value base, offset;
    int64_t count;
  };
  /// vector<16xf16> for dpas: codes less their zero points, or floats rounded to nearest; 0 beyond
  /// the step.
  Value loadHalves(Value tile, const Step &step);
  /// Each column of a quantized weight, f32.
  Values loadFloats(Value tile, const Step &step);
  /// Of a group that begins at a column.
  Value loadScale(Value tile, Value base);

private:
  Value getGroup(Value base) { return k.floorDiv(base, getGroupSize()); }
  Value getBlock(const Step &step);
  Values loadRow(Value tile, const Step &step);

  LaunchScope &scope;
  XeBuilder &k;
  LinearOp op;
  std::optional<TiledCodes> codes;
  int64_t rows, columns;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_MATRIXWEIGHT_H
