//===- TiledWeight.h - Weights in tiles of 16 rows --------------*- C++ -*-===//
//
// Reads a weight in the layout of Formats/Tiling.h. The rows of a tile are lanes: of one vector, or
// of several parts where vectors are shorter. So one value of the other factor meets a whole
// vector, a group's scales are a vector, and nothing is ever summed across lanes.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_TILEDWEIGHT_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_TILEDWEIGHT_H

#include "DotProduct.h"
#include "KernelBuilder.h"
#include "ssmq/Formats/Tiling.h"

namespace mlir::ssm {

class TiledWeight {
public:
  using Values = KernelBuilder::Values;

  /// `zeroPoints` may be null; `lanes` is a power of two, at most 16.
  TiledWeight(KernelBuilder &k, Value weight, Value scales, Value zeroPoints,
              const ::ssmq::TileLayout &layout, int64_t lanes)
      : layout(layout), lanes(lanes), k(k), weight(weight), scales(scales), zeroPoints(zeroPoints) {
  }

  int64_t getNumParts() const { return ::ssmq::TileLayout::tileRows / lanes; }
  bool hasZeroPoints() const { return zeroPoints != nullptr; }

  /// The 4 x lanes bytes of a block, as they are stored.
  Value loadBytes(Value tile, Value block, int64_t part);
  /// Asks for the block that is 1 KB ahead in the stream of tiles, into the second-level cache:
  /// what processors foresee by themselves ends with each page.
  void prefetchAhead(Value tile, Value block);
  /// The codes of a block as bytes for dot products, four columns a vector.
  Values unpackBytes(Value bytes, ByteRange range);
  /// The codes of a block as f32, one column a vector, each too large by what loadExcess gives: an
  /// offset and the zero point.
  Values unpackFloats(Value bytes, int64_t columns);
  Value loadExcess(Value tile, Value group, int64_t part);
  /// As f32.
  Value loadScales(Value tile, Value group, int64_t part);
  /// As i32.
  Value loadZeroPoints(Value tile, Value group, int64_t part);
  /// Calls body(first tile, number of tiles, rows of the last of them) for blocks of at most
  /// `tilesOfBlock` tiles, on threads when `work` is worth it.
  void overTiles(int64_t tilesOfBlock, Value work,
                 function_ref<void(Value, int64_t, int64_t)> body);
  /// Calls body(part, its first row, its rows) for the parts of these tiles that are not all
  /// padding, parts being counted through.
  void overRows(Value firstTile, int64_t numTiles, int64_t rowsOfLast,
                function_ref<void(int64_t, Value, int64_t)> body);
  /// Calls body(group, its first block, its columns, values) for each group and threads `values`
  /// through.
  Values overGroups(ValueRange inits, function_ref<Values(Value, Value, int64_t, ValueRange)> body);

  const ::ssmq::TileLayout layout;
  const int64_t lanes;

private:
  static constexpr int64_t blocksAhead = 16;

  KernelBuilder &k;
  Value weight, scales, zeroPoints;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_TILEDWEIGHT_H
