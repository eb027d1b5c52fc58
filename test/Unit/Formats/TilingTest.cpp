//===- TilingTest.cpp - Codes in tiles ------------------------------------===//

#include "ssmq/Formats/Tiling.h"

#include "ssmq/Formats/Packing.h"
#include "gtest/gtest.h"
#include <random>

using namespace ssmq;

namespace {

llvm::ArrayRef<int8_t> getCodes(const Tensor &tensor) { return tensor.data<int8_t>(); }

Tensor makeCodes(int64_t rows, int64_t columns, unsigned bits) {
  std::mt19937 random(rows * 1000 + columns);
  Tensor codes = Tensor::empty(DType::I8, {rows, columns});
  for (int8_t &code : codes.mutableData<int8_t>())
    code = static_cast<int8_t>(static_cast<int>(random() % (1u << bits)) - (1 << (bits - 1)));
  return codes;
}

TEST(TilingTest, RoundTrip) {
  for (unsigned bits : {4u, 8u})
    for (int64_t rows : {1, 15, 16, 17, 40})
      for (int64_t columns : {1, 7, 50, 96, 97})
        for (int64_t group : {1, 3, 12, 20, 48, 1000}) {
          SCOPED_TRACE(testing::Message()
                       << bits << " bits, " << rows << " x " << columns << ", groups of " << group);
          TileLayout layout(rows, columns, group, bits);
          Tensor codes = makeCodes(rows, columns, bits);
          Tensor tiles = tileCodes(packCodes(codes, bits), layout);
          EXPECT_EQ(tiles.getShape(),
                    llvm::ArrayRef<int64_t>({layout.getNumTiles(), layout.getTileBytes()}));
          EXPECT_EQ(getCodes(untileCodes(tiles, layout)), getCodes(codes));
          Tensor threaded = tileCodes(packCodes(codes, bits), layout, 3);
          EXPECT_EQ(getCodes(threaded), getCodes(tiles));
          EXPECT_EQ(getCodes(untileCodes(tiles, layout, 3)), getCodes(codes));
        }
}

/// The byte and the shift at which a code lies, from the words of the header.
TEST(TilingTest, PlaceOfEachCode) {
  constexpr int64_t kRows = 19, kColumns = 50, kGroup = 20;
  for (unsigned bits : {4u, 8u}) {
    TileLayout layout(kRows, kColumns, kGroup, bits);
    Tensor codes = makeCodes(kRows, kColumns, bits);
    Tensor tiles = tileCodes(packCodes(codes, bits), layout);
    const auto *bytes = static_cast<const uint8_t *>(tiles.getRawData());
    int64_t width = 32 / bits, blocks = (kGroup + width - 1) / width, numPadding = 0;
    int64_t lastColumns = bits == 4 ? 16 : 12; // of 10
    for (int64_t row = 0; row < layout.getNumTiles() * 16; ++row)
      for (int64_t group = 0; group < 3; ++group)
        for (int64_t k = 0; k < (group < 2 ? blocks * width : lastColumns); ++k) {
          int64_t column = group * kGroup + k, inBlock = k % width;
          int64_t place = row / 16 * layout.getTileBytes() + (group * blocks + k / width) * 64 +
                          row % 16 * 4 + inBlock % 4;
          ASSERT_LT(place, tiles.getNumBytes());
          bool isPadding = row >= kRows || k >= kGroup || column >= kColumns;
          int code = isPadding ? 0 : getCodes(codes)[row * kColumns + column];
          int found = bits == 8 ? static_cast<int8_t>(bytes[place])
                                : (bytes[place] >> (inBlock / 4 * 4) & 15) - 8;
          ASSERT_EQ(found, code) << bits << " bits, row " << row << ", column " << column;
          numPadding += isPadding;
        }
    EXPECT_GT(numPadding, 0);
  }
}

TEST(TilingTest, RegularShapesTakeNoMoreBytes) {
  EXPECT_EQ(TileLayout(32, 96, 48, 4).getTileBytes(), 16 * 96 / 2);
  EXPECT_EQ(TileLayout(32, 96, 48, 8).getTileBytes(), 16 * 96);
  EXPECT_EQ(TileLayout(32, 50, 50, 4).getPaddedColumns(), 56);
  EXPECT_EQ(TileLayout(32, 50, 12, 8).getPaddedColumns(), 52);
}

TEST(TilingTest, GroupsOfRows) {
  Tensor scales = Tensor::fromData<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  Tensor tiles = tileGroups(scales);
  EXPECT_EQ(tiles.getShape(), llvm::ArrayRef<int64_t>({1, 2, 16}));
  llvm::ArrayRef<float> values = tiles.data<float>();
  EXPECT_EQ(values.slice(0, 4), llvm::ArrayRef<float>({1, 3, 5, 0}));
  EXPECT_EQ(values.slice(16, 4), llvm::ArrayRef<float>({2, 4, 6, 0}));
  EXPECT_EQ(untileGroups(tiles, 3).data<float>(), scales.data<float>());

  Tensor zeros = makeCodes(37, 3, 8);
  EXPECT_EQ(getCodes(untileGroups(tileGroups(zeros), 37)), getCodes(zeros));
}

} // namespace
