//===- SplitTiles.h - Tiles of a weight for one token -----------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_SPLITTILES_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_SPLITTILES_H

#include "XeBuilder.h"

namespace mlir::ssm {

/// How work-groups share the tiles of a weight that meets one token: a sub-group has a tile, or,
/// where tiles are few, every n-th chunk of its columns.
class SplitTiles {
public:
  explicit SplitTiles(int64_t tiles);

  int64_t getGroups() const;
  /// Calls add(tile, chunk, sum) for each chunk of columns, and store(tile, sum) in a sub-group
  /// that has the sum of all.
  void emit(XeBuilder &k, Value group, int64_t chunks, function_ref<Value(Value, Value, Value)> add,
            function_ref<void(Value, Value)> store) const;

private:
  int64_t tiles;
  /// Sub-groups that share a tile.
  int64_t parts = 1;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_SPLITTILES_H
