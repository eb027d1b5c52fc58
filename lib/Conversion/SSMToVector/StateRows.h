//===- StateRows.h - Rows of a state as vectors of f32 ----------*- C++ -*-===//
//
// The rows of a state (a channel, or a channel of a head, along the state index) in registers,
// whatever they are stored in: f32, f16, bf16, or i8 codes with f16 scales (value = code * scale).
// Scales are fitted as lib/Formats does for `i8 sym`.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_STATEROWS_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_STATEROWS_H

#include "KernelBuilder.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"

namespace mlir::ssm {

class StateRows {
public:
  using Values = KernelBuilder::Values;

  /// Columns [start, start + count) of a row, all of one run.
  struct Chunk {
    int64_t start, count, run;
  };
  /// Where a row lies: the leading indices of its state, and its row of the scales.
  struct Place {
    Values indices;
    Value scaleRow;
  };
  using Places = function_ref<Place(int64_t row)>;
  /// Vectors of some rows, chunk by chunk, each padded with zeros to `getLanes()`; and of codes one
  /// vector with the scale of each run of each row.
  struct Rows {
    Values vectors;
    Value scales;
  };

  /// `scales` is null unless `state` holds codes of `format`. Vectors have `leastLanes` at least.
  StateRows(KernelBuilder &k, Value state, Value scales, FormatAttr format, int64_t leastLanes = 1);

  ArrayRef<Chunk> getChunks() const { return chunks; }
  int64_t getLanes() const { return lanes; }
  bool hasScales() const { return bool(scales); }

  Rows load(int64_t rows, Places at);
  /// With scales that are given, one a run of a row.
  Rows load(int64_t rows, Places at, Value scales);
  /// Rounds and stores.
  void store(const Rows &rows, int64_t count, Places at);
  /// Stores the scales of the runs of one row.
  void storeScales(Value values, Value scaleRow);
  /// Rounds to the grids of `rows.scales`.
  void storeVectors(const Rows &rows, int64_t count, Places at);

  /// Bits of the largest magnitude of each run of each row: larger bits are larger, NaN above all.
  Value mostOfRuns(ArrayRef<Value> vectors);
  /// Their scales in f32.
  Value fitScales(Value mostBits);
  /// Bits of the magnitudes of a vector.
  Value magnitudeBits(Value vector);

private:
  /// The run of vector `i` of some rows, counted over the rows.
  int64_t runOf(size_t i) const {
    return static_cast<int64_t>(i / chunks.size()) * runs + chunks[i % chunks.size()].run;
  }
  Value splatOf(Value vector, int64_t lane);
  Value toCodes(Value vector, Value inverse);

  KernelBuilder &k;
  Value state, scales;
  Type elementType;
  int64_t lanes, runs;
  SmallVector<Chunk> chunks;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_STATEROWS_H
