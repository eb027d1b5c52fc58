//===- WeightNumbers.h - Numbers of a weight, one by one --------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_WEIGHTNUMBERS_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_WEIGHTNUMBERS_H

#include "LaunchScope.h"
#include "ssmq/Formats/Tiling.h"

namespace mlir::ssm {

/// Reads single numbers of a weight of rows x columns: floats, or codes of 4 or 8 bits in packed
/// rows (Formats/Packing.h) or in tiles.
class WeightNumbers {
public:
  /// Of a linear layer or an embedding.
  template <typename OpTy>
  WeightNumbers(LaunchScope &scope, OpTy op)
      : scope(scope), k(scope.k), weight(op.getWeight()), scales(op.getScales()),
        zeroPoints(op.getZeroPoints()), bits(op.getPackedBits().value_or(0)),
        groupSize(op.getGroupSize().value_or(1)), layout(findLayout(op)) {}

  /// Whether there is code for the weight of such an op.
  template <typename OpTy>
  static bool knows(OpTy op) {
    return !op.getScales() || op.getPackedBits() == 4 || op.getPackedBits() == 8;
  }

  /// As f32.
  Value load(Value row, Value column);

private:
  static std::optional<::ssmq::TileLayout> findLayout(Operation *op);
  /// f32
  Value loadCode(Value row, Value column);
  Value loadTiledCode(Value row, Value column);
  /// i32, unsigned.
  Value takeNibble(Value byte, Value isHigh);

  LaunchScope &scope;
  XeBuilder &k;
  Value weight, scales, zeroPoints;
  int64_t bits, groupSize;
  std::optional<::ssmq::TileLayout> layout;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_WEIGHTNUMBERS_H
