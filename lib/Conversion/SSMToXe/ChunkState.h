//===- ChunkState.h - The state of a head while chunks pass -----*- C++ -*-===//
//
// Channels are lanes, in tiles of 16 that a work-group has; the state's columns are in blocks of
// 16, each two sums of dpas. The sub-groups share tiles x blocks.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_CHUNKSTATE_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_CHUNKSTATE_H

#include "Halves.h"
#include "StoredState.h"

namespace mlir::ssm {

class ChunkState {
public:
  using Values = XeBuilder::Values;
  static constexpr int64_t kBlock = 16, kSumsOfBlock = 2;

  /// Of the channels from `firstChannel` on.
  ChunkState(const StoredStatePlaces &places, Value head, Value firstChannel, int64_t tiles);

  struct Unit {
    Value block, tile;
    /// False where another sub-group has it, too.
    Value isOwn;
  };
  ArrayRef<Unit> getUnits() const { return units; }

  /// Values are vector<8xf32>, kSumsOfBlock for each unit: columns x channels.
  Values load();
  Value takeMost(ValueRange state);
  /// Rounded, into [blocks, tiles, lanes, 16].
  void round(ValueRange state, Value factor, const HalfBlocks &to);
  /// By all of the work-group, as the op stores it.
  void store(ValueRange state);

private:
  SmallVector<Value> getRow(const Unit &unit);
  Value takeMostOfUnit(ValueRange state, size_t unit, Value most);
  void storeUnit(ValueRange state, size_t unit, const IntegerGrid &grid);
  void storeHead(ValueRange state);
  void storeRuns(ValueRange state);

  const StoredStatePlaces &places;
  XeBuilder &k;
  Value head, firstChannel;
  int64_t tiles, blocks;
  SmallVector<Unit> units;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_CHUNKSTATE_H
