//===- WeightRows.h - Rows of a weight, quantized or not --------*- C++ -*-===//
//
// Reads a weight of rows x columns as f32 vectors, unpacking codes in registers. A row is read in
// chunks of `chunkColumns` columns; a chunk of 4-bit codes gives two vectors, of its even and of
// its odd columns, since two neighbours share a byte. What is multiplied with rows (`other`) comes
// in the same order: `arrange` brings it there once.
//
// A code is left as it is but for its zero point; one group's scale multiplies a sum.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_WEIGHTROWS_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_WEIGHTROWS_H

#include "KernelBuilder.h"
#include <optional>

namespace mlir::ssm {

class WeightRows {
public:
  using Values = KernelBuilder::Values;

  /// `scales` and `zeroPoints` may be null; `packedBits` and `groupSize` belong to scales.
  WeightRows(KernelBuilder &k, Value weight, Value scales, Value zeroPoints,
             std::optional<int64_t> packedBits, std::optional<int64_t> groupSize, int64_t columns);

  bool isQuantized() const { return scales != nullptr; }
  /// Lanes of the vectors that whole chunks give.
  int64_t getLanes() const { return lanes; }
  int64_t getChunkColumns() const { return isPaired ? 2 * lanes : lanes; }
  int64_t getColumns() const { return columns; }
  int64_t getGroupSize() const { return groupSize; }

  /// Codes (less their zero points) or values of columns [column, column + count) of a row, count
  /// at most a chunk. `zeroPoint` is what loadZeroPoint gave.
  Values load(Value row, Value column, int64_t count, Value zeroPoint);
  /// Columns whose bytes are a cache line.
  int64_t getLineColumns() const;
  /// Asks for the cache line of a column.
  void prefetch(Value row, Value column);
  /// The same columns in their own order, in one vector.
  Value loadInOrder(Value row, Value column, int64_t count, Value zeroPoint);
  Value loadScale(Value row, Value group) { return k.loadScalar(scales, {row, group}); }
  /// Null for symmetric formats.
  Value loadZeroPoint(Value row, Value group);

  /// Whether `arrange` has to be used.
  bool needsArranging() const { return isPaired; }
  /// A new buffer with the rows of `other` (tokens x columns) in the order of chunks.
  Value arrange(Value other);
  /// The vectors of an (arranged) other row that belong to `load` of the same columns.
  Values loadOther(Value other, Value row, Value column, int64_t count);
  /// Calls body(base column, columns, group) for each group of a row and threads `values` through.
  Values overGroups(ValueRange inits, function_ref<Values(Value, int64_t, Value, ValueRange)> body);

private:
  Value loadNibble(Value row, Value column);

  KernelBuilder &k;
  Value weight, scales, zeroPoints;
  int64_t columns, groupSize, lanes;
  bool isNibbles, isPaired;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_WEIGHTROWS_H
