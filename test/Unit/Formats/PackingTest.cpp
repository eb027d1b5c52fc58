//===- PackingTest.cpp - Codes in bytes -----------------------------------===//

#include "ssmq/Formats/Packing.h"

#include "FormatTestUtils.h"
#include "gtest/gtest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

llvm::ArrayRef<int8_t> getCodes(const Tensor &tensor) { return tensor.data<int8_t>(); }

TEST(PackingTest, RoundTripOfEveryWidth) {
  std::mt19937 random(1);
  for (unsigned bits = 2; bits <= 8; ++bits)
    for (int64_t columns : {1, 2, 3, 5, 7, 8, 9, 16, 31, 33}) {
      Tensor codes = Tensor::empty(DType::I8, {3, columns});
      for (int8_t &code : codes.mutableData<int8_t>())
        code = int(random() % (1u << bits)) - (1 << (bits - 1));
      Tensor packed = packCodes(codes, bits);
      EXPECT_EQ(packed.getShape(), llvm::ArrayRef<int64_t>({3, getPackedRowBytes(columns, bits)}));
      EXPECT_EQ(getCodes(unpackCodes(packed, {3, columns}, bits)), getCodes(codes));
      // Spare bits at the end of a row are zero.
      unsigned used = columns * bits % 8;
      for (int64_t row = 0; row < 3 && used; ++row) {
        auto last = uint8_t(getCodes(packed)[(row + 1) * packed.getDim(1) - 1]);
        EXPECT_EQ(last >> used, 0);
      }
    }
}

TEST(PackingTest, Layout) {
  Tensor packed = packCodes(Tensor::fromData<int8_t>({2, 3}, {1, -1, 7, -8, 0, 2}), 4);
  EXPECT_EQ(getCodes(packed), llvm::ArrayRef<int8_t>({int8_t(0xf1), 0x07, 0x08, 0x02}));
  // 3-bit codes 001 110 011 cross a byte: bits 0-2, 3-5, 6-8.
  packed = packCodes(Tensor::fromData<int8_t>({1, 3}, {1, -2, 3}), 3);
  EXPECT_EQ(getCodes(packed), llvm::ArrayRef<int8_t>({int8_t(0b11110001), 0}));
}

TEST(PackingTest, HigherRanksAreMatrices) {
  Tensor codes = Tensor::fromData<int8_t>({2, 3, 1}, {1, 2, 3, -1, -2, -3});
  Tensor packed = packCodes(codes, 4);
  EXPECT_EQ(packed.getShape(), llvm::ArrayRef<int64_t>({2, 2}));
  Tensor unpacked = unpackCodes(packed, {2, 3, 1}, 4);
  EXPECT_EQ(unpacked.getShape(), codes.getShape());
  EXPECT_EQ(getCodes(unpacked), getCodes(codes));
}

TEST(PackingTest, SizesAreWhatIsStored) {
  for (const std::string &spelling : getSpellings())
    for (int64_t columns : {1, 5, 32, 45}) {
      auto format = getFormat(spelling);
      QuantizedTensor quantized = llvm::cantFail(format->quantize(makeWeight({3, columns}, 1, 1)));
      int64_t bytes = packCodes(quantized.codes, format->getCodeBits()).getNumBytes() +
                      quantized.scales.getNumBytes();
      if (quantized.zeroPoints)
        bytes += quantized.zeroPoints.getNumBytes();
      EXPECT_EQ(format->getNumBytes({SiteKind::Weight, 3, columns}), bytes) << spelling;
    }
}

} // namespace
