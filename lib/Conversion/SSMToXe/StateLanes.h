//===- StateLanes.h - Rows of a state over the lanes of a sub-group -*- C++ -*-===//
//
// A row of a state (along the state index) in registers of f32, its columns side by side in the
// lanes of a sub-group, whatever it is stored in: f32, f16, bf16, or i8 codes with f16 scales.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_STATELANES_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_STATELANES_H

#include "StoredState.h"

namespace mlir::ssm {

class StateLanes {
public:
  using Values = XeBuilder::Values;

  /// Columns [start, start + count) of a row, at most one a lane, all of one run: columns that
  /// share a scale.
  struct Chunk {
    int64_t start, count, run;
  };

  /// Of a state in f32 (or f16, bf16), `runColumns` share a scale where not all of a row do.
  explicit StateLanes(const StoredStatePlaces &places, int64_t runColumns = 0);

  ArrayRef<Chunk> getChunks() const { return chunks; }
  /// The lane's column of a chunk; the last one for lanes past it.
  Value getColumn(const Chunk &chunk);
  /// 0 in lanes past the chunk.
  Value mask(const Chunk &chunk, Value number);

  /// A number a chunk; `indices` lead to the row.
  Values load(ArrayRef<Value> indices);
  /// Rounds and stores. Codes of one scale a row or run get theirs from the row.
  void store(ArrayRef<Value> row, ArrayRef<Value> indices);
  void store(ArrayRef<Value> row, ArrayRef<Value> indices, const IntegerGrid &grid);

private:
  void storeChunk(const Chunk &chunk, Value number, ArrayRef<Value> indices,
                  const IntegerGrid &grid);

  const StoredStatePlaces &places;
  XeBuilder &k;
  SmallVector<Chunk> chunks;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_STATELANES_H
