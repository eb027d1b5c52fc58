//===- Tiling.cpp - Codes as kernels stream them --------------------------===//

#include "ssmq/Formats/Tiling.h"

#include "ssmq/Formats/Packing.h"
#include "ssmq/Support/Parallel.h"
#include <algorithm>
#include <cstring>

using namespace llvm;

namespace ssmq {

static int64_t divideUp(int64_t value, int64_t by) { return (value + by - 1) / by; }

TileLayout::TileLayout(int64_t rows, int64_t columns, int64_t groupSize, unsigned bits)
    : rows(rows), columns(columns), groupSize(std::min(groupSize, columns)), bits(bits) {}

int64_t TileLayout::getGroupColumns(int64_t group) const {
  return std::min(groupSize, columns - group * groupSize);
}

int64_t TileLayout::getGroupBlocks() const { return divideUp(groupSize, getBlockColumns()); }

int64_t TileLayout::getNumBlocks() const {
  int64_t last = getNumGroups() - 1;
  return last * getGroupBlocks() + divideUp(getGroupColumns(last), getBlockColumns());
}

static unsigned getNibble(const uint8_t *row, int64_t column) {
  return row[column / 2] >> (column % 2 * 4) & 15;
}

/// The four bytes of one row of a block, from `count` columns of a packed row.
static void tileBlockRow(const uint8_t *row, int64_t column, int64_t count, unsigned bits,
                         uint8_t *to) {
  if (bits == 8) {
    std::memset(to, 0, TileLayout::rowBytesOfBlock);
    std::memcpy(to, row + column, count);
    return;
  }
  // Adding 8 to a code of four bits inverts its highest bit.
  std::memset(to, 0x88, TileLayout::rowBytesOfBlock);
  for (int64_t k = 0; k < count; ++k)
    to[k % 4] ^= getNibble(row, column + k) << (k / 4 * 4);
}

static void untileBlockRow(const uint8_t *from, int64_t count, unsigned bits, int8_t *to) {
  if (bits == 8) {
    std::memcpy(to, from, count);
    return;
  }
  for (int64_t k = 0; k < count; ++k)
    to[k] = static_cast<int8_t>(static_cast<int>(from[k % 4] >> (k / 4 * 4) & 15) - 8);
}

/// Calls body(block of the tile, first column, columns) for each block.
template <typename Body>
static void overBlocks(const TileLayout &layout, Body body) {
  int64_t width = layout.getBlockColumns();
  for (int64_t group = 0; group < layout.getNumGroups(); ++group) {
    int64_t columns = layout.getGroupColumns(group);
    for (int64_t k = 0, block = group * layout.getGroupBlocks(); k < columns; k += width, ++block)
      body(block, group * layout.getGroupSize() + k, std::min(width, columns - k));
  }
}

Tensor tileCodes(const Tensor &packed, const TileLayout &layout, unsigned threads) {
  Tensor tiles = Tensor::empty(DType::I8, {layout.getNumTiles(), layout.getTileBytes()});
  const auto *from = static_cast<const uint8_t *>(packed.getRawData());
  auto *to = static_cast<uint8_t *>(tiles.getMutableRawData());
  int64_t rowBytes = getPackedRowBytes(layout.getColumns(), layout.getBits());
  parallelFor(threads, layout.getNumTiles(), [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile)
      overBlocks(layout, [&](int64_t block, int64_t column, int64_t count) {
        uint8_t *place = to + tile * layout.getTileBytes() + block * TileLayout::blockBytes;
        int64_t row = tile * TileLayout::tileRows;
        for (int64_t r = 0; r < TileLayout::tileRows; ++r, ++row)
          tileBlockRow(from + std::min(row, layout.getRows() - 1) * rowBytes, column,
                       row < layout.getRows() ? count : 0, layout.getBits(),
                       place + r * TileLayout::rowBytesOfBlock);
      });
  });
  return tiles;
}

Tensor untileCodes(const Tensor &tiles, const TileLayout &layout, unsigned threads) {
  Tensor codes = Tensor::empty(DType::I8, {layout.getRows(), layout.getColumns()});
  const auto *from = static_cast<const uint8_t *>(tiles.getRawData());
  int8_t *to = codes.mutableData<int8_t>().data();
  parallelFor(threads, layout.getNumTiles(), [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile)
      overBlocks(layout, [&](int64_t block, int64_t column, int64_t count) {
        const uint8_t *place = from + tile * layout.getTileBytes() + block * TileLayout::blockBytes;
        int64_t row = tile * TileLayout::tileRows;
        int64_t last = std::min(row + TileLayout::tileRows, layout.getRows());
        for (; row < last; ++row, place += TileLayout::rowBytesOfBlock)
          untileBlockRow(place, count, layout.getBits(), to + row * layout.getColumns() + column);
      });
  });
  return codes;
}

Tensor tileGroups(const Tensor &groups) {
  constexpr int64_t kRows = TileLayout::tileRows;
  int64_t rows = groups.getDim(0), count = groups.getDim(1);
  Tensor tiles = Tensor::zeros(groups.getDType(), {divideUp(rows, kRows), count, kRows});
  size_t width = getBitWidth(groups.getDType()) / 8;
  const auto *from = static_cast<const char *>(groups.getRawData());
  auto *to = static_cast<char *>(tiles.getMutableRawData());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t group = 0; group < count; ++group)
      std::memcpy(to + ((row / kRows * count + group) * kRows + row % kRows) * width,
                  from + (row * count + group) * width, width);
  return tiles;
}

Tensor untileGroups(const Tensor &tiles, int64_t rows) {
  constexpr int64_t kRows = TileLayout::tileRows;
  int64_t count = tiles.getDim(1);
  Tensor groups = Tensor::empty(tiles.getDType(), {rows, count});
  size_t width = getBitWidth(tiles.getDType()) / 8;
  const auto *from = static_cast<const char *>(tiles.getRawData());
  auto *to = static_cast<char *>(groups.getMutableRawData());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t group = 0; group < count; ++group)
      std::memcpy(to + (row * count + group) * width,
                  from + ((row / kRows * count + group) * kRows + row % kRows) * width, width);
  return groups;
}

} // namespace ssmq
