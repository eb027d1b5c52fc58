//===- Tiling.h - Codes as kernels stream them ------------------*- C++ -*-===//
//
// A quantized weight of rows x columns in tiles of 16 rows, so that one vector holds the codes of
// all rows of a tile and a tile is one stream of bytes. A tile is its groups in order (groupSize
// columns share a scale, the last group may be shorter); a group is blocks of 32 / bits columns; a
// block is 64 bytes, byte 4 r + j belongs to row r:
//   8 bits   the code of column j of the block, in two's complement (4 columns a block);
//   4 bits   column j in the low nibble and column 4 + j in the high one, each as code + 8, which
//            is unsigned (8 columns a block).
// A group begins on a block: what its last block lacks is codes of 0, as are the rows that the last
// tile lacks. Scales and zero points are [tiles, groups, 16], 0 for such rows.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_TILING_H
#define SSMQ_FORMATS_TILING_H

#include "ssmq/Support/Tensor.h"

namespace ssmq {

class TileLayout {
public:
  static constexpr int64_t tileRows = 16, blockBytes = 64, rowBytesOfBlock = 4;

  /// `rows`, `columns` and `groupSize` positive, `bits` 4 or 8.
  TileLayout(int64_t rows, int64_t columns, int64_t groupSize, unsigned bits);

  int64_t getRows() const { return rows; }
  int64_t getColumns() const { return columns; }
  /// At most the number of columns.
  int64_t getGroupSize() const { return groupSize; }
  unsigned getBits() const { return bits; }

  int64_t getNumTiles() const { return (rows + tileRows - 1) / tileRows; }
  int64_t getNumGroups() const { return (columns + groupSize - 1) / groupSize; }
  int64_t getGroupColumns(int64_t group) const;

  int64_t getBlockColumns() const { return 32 / bits; }
  /// Blocks of a group that is not shorter than groupSize; group g begins at block g times this.
  int64_t getGroupBlocks() const;
  /// Blocks of a tile.
  int64_t getNumBlocks() const;
  int64_t getTileBytes() const { return getNumBlocks() * blockBytes; }
  /// Columns with those that pad groups.
  int64_t getPaddedColumns() const { return getNumBlocks() * getBlockColumns(); }

  bool operator==(const TileLayout &other) const {
    return rows == other.rows && columns == other.columns && groupSize == other.groupSize &&
           bits == other.bits;
  }

private:
  int64_t rows, columns, groupSize;
  unsigned bits;
};

/// Packed rows (Packing.h) -> i8 [tiles, bytes of a tile]. Bits do not depend on `threads`.
Tensor tileCodes(const Tensor &packed, const TileLayout &layout, unsigned threads = 1);
/// The inverse, unpacked: i8 codes [rows, columns].
Tensor untileCodes(const Tensor &tiles, const TileLayout &layout, unsigned threads = 1);

/// Scales or zero points of any element type, [rows, groups] -> [tiles, groups, 16].
Tensor tileGroups(const Tensor &groups);
/// The inverse; padded rows are left out.
Tensor untileGroups(const Tensor &tiles, int64_t rows);

} // namespace ssmq

#endif // SSMQ_FORMATS_TILING_H
