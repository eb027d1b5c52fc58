//===- TiledCodes.h - Quantized weights in tiles, by lanes ------*- C++ -*-===//
//
// Reads a weight in the layout of Formats/Tiling.h. The lanes of a sub-group are the rows of a
// tile: the 64 bytes of a block are one word (i32) in each lane, with 8 codes of 4 bits or 4 codes
// of 8 bits of the lane's row. Nothing is summed across lanes.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_TILEDCODES_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_TILEDCODES_H

#include "LaunchScope.h"
#include "ssmq/Formats/Tiling.h"

namespace mlir::ssm {

/// The layout of the weight.
::ssmq::TileLayout getIntegerLayout(IntegerLinearOp op);
/// Bytes of activations, 4 columns an i32; rows begin on whole words.
Place asWords(const Place &bytes);

class TiledCodes {
public:
  using Values = XeBuilder::Values;

  /// `zeroPoints` may be null.
  TiledCodes(LaunchScope &scope, Value weight, Value scales, Value zeroPoints,
             const ::ssmq::TileLayout &layout);

  bool hasZeroPoints() const { return zeroPoints != nullptr; }
  /// Whether some groups end with columns that are padding.
  bool isPadded() const;
  /// The row of this lane, and whether it is no padding.
  Value getRow(Value tile) { return k.add(k.mul(tile, ::ssmq::TileLayout::tileRows), k.lane); }
  Value isRow(Value row) { return k.isLess(row, k.index(layout.getRows())); }

  /// The word of this lane's row; blocks are counted through a tile.
  Value loadWord(Value tile, Value block);
  /// The codes of a word as f32, in the order of columns, each too large by what loadExcess gives.
  Values toFloats(Value word);
  /// An offset and the zero point, f32.
  Value loadExcess(Value tile, Value group);
  /// The codes of a word as words of 4 bytes for integer products: nibbles as they are, which makes
  /// them 8 too large.
  Values toBytes(Value word);
  /// The same without the offset.
  Values toSignedBytes(Value word);
  /// What toBytes adds, and the zero point, i32; null where that is nothing.
  Value loadByteExcess(Value tile, Value group);
  /// i32
  Value loadZeroPoint(Value tile, Value group);
  /// f32
  Value loadScale(Value tile, Value group);

  /// Blocks of one group that are read together, as many as divide all groups, at most `most`;
  /// chunk c begins at block c times this.
  int64_t getChunkBlocks(int64_t most) const;
  /// The group of a block.
  Value getGroup(Value block) { return k.floorDiv(block, layout.getGroupBlocks()); }

  const ::ssmq::TileLayout layout;

private:
  Value shiftRight(Value word, int64_t bits);

  XeBuilder &k;
  LaunchScope &scope;
  Value scales, zeroPoints;
  /// i32 [tiles, blocks, 16]
  Place words;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_TILEDCODES_H
