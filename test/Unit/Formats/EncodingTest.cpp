//===- EncodingTest.cpp - Codes of every format decode to its values ------===//

#include "ssmq/Formats/Encoding.h"
#include "FormatTestUtils.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace ssmq;
using namespace ssmq::test;

namespace {

std::vector<std::string> getAllSpellings() {
  std::vector<std::string> spellings = {"f16", "bf16", "mxfp4"};
  for (const char *sharing :
       {" per_tensor", " per_channel", " per_head", " group=6", " group=34"}) {
    for (int bits : {2, 3, 4, 5, 6, 7, 8, 16})
      for (const char *symmetry : {" sym", " asym"})
        spellings.push_back("i" + std::to_string(bits) + symmetry + sharing);
    for (const char *numerics :
         {"f8E4M3", "f8E5M2", "nf4", "log2<1>", "log2<5>", "log2<16>", "logpolar<1,2>",
          "logpolar<3,4>", "logpolar<8,12>", "logpolar<3,4> stable"})
      spellings.push_back(std::string(numerics) + sharing);
  }
  return spellings;
}

bool isSame(const Tensor &a, const Tensor &b) {
  return a.getNumBytes() == b.getNumBytes() &&
         std::memcmp(a.getRawData(), b.getRawData(), a.getNumBytes()) == 0;
}

TEST(EncodingTest, DecodesToRoundedAndTakesTheStatedBytes) {
  const ValueLayout layouts[] = {{SiteKind::Weight, 6, 70, 3}, {SiteKind::State, 4, 2, 2}};
  for (const std::string &spelling : getAllSpellings())
    for (const ValueLayout &layout : layouts)
      for (int kind = 0; kind < 4; ++kind) {
        std::shared_ptr<const Format> format = getFormat(spelling);
        // Kind 3 is all zeros; logarithms need one sign.
        bool isLog = spelling.rfind("log2", 0) == 0;
        // Outliers of 50 times the rest stay inside the unit disc.
        float scale = spelling.find(" stable") == std::string::npos ? 0.3f : 0.002f;
        Tensor value =
            makeWeight({layout.rows, layout.columns}, 11 + kind, scale, isLog ? 2 : kind);
        if (kind == 3)
          value = Tensor::zeros(DType::F32, {layout.rows, layout.columns});
        Tensor rounded = llvm::cantFail(format->round(value, layout, nullptr));
        EncodedTensor encoded = llvm::cantFail(encode(*format, value, layout, /*threads=*/2));
        Tensor decoded = llvm::cantFail(decode(*format, encoded, layout, /*threads=*/2));
        EXPECT_TRUE(isSame(decoded, rounded)) << spelling << " kind " << kind;
        EXPECT_EQ(encoded.codes.getNumBytes() + (encoded.scales ? encoded.scales.getNumBytes() : 0),
                  format->getNumBytes(layout))
            << spelling;
        EXPECT_TRUE(isSame(llvm::cantFail(encode(*format, value, layout)).codes, encoded.codes));
      }
}

/// What docs/Formats.md says about bytes.
TEST(EncodingTest, Bytes) {
  auto expectBytes = [](const char *spelling, std::vector<float> values, std::vector<uint8_t> codes,
                        std::vector<uint8_t> scales) {
    ValueLayout layout{SiteKind::Weight, 1, static_cast<int64_t>(values.size()), 0};
    EncodedTensor encoded = llvm::cantFail(
        encode(*getFormat(spelling), Tensor::fromData<float>({1, layout.columns}, values), layout));
    auto bytes = [](const Tensor &tensor) {
      const auto *begin = static_cast<const uint8_t *>(tensor ? tensor.getRawData() : nullptr);
      return std::vector<uint8_t>(begin, begin + (tensor ? tensor.getNumBytes() : 0));
    };
    EXPECT_EQ(bytes(encoded.codes), codes) << spelling;
    EXPECT_EQ(bytes(encoded.scales), scales) << spelling;
  };
  expectBytes("i4 sym per_tensor", {7, -1, 2}, {0xf7, 0x02}, {0x00, 0x3c});
  expectBytes("i16 asym per_tensor", {0, 65535}, {0x00, 0x80, 0xff, 0x7f},
              {0x80, 0x3f, 0x00, 0x80});
  expectBytes("f16", {1, -2}, {0x00, 0x3c, 0x00, 0xc0}, {});
  expectBytes("bf16", {1}, {0x80, 0x3f}, {});
  expectBytes("f8E4M3 per_tensor", {448, -1, 0x1p-9f}, {0x7e, 0xb8, 0x01}, {0x00, 0x3c});
  expectBytes("f8E5M2 per_tensor", {57344, -1, 0x1p-16f}, {0x7b, 0xbc, 0x01}, {0x00, 0x3c});
  expectBytes("mxfp4", {6, -0.5f, 1.5f}, {0x97, 0x03}, {127});
  expectBytes("nf4 per_tensor", {1, -1, 0}, {0x0f, 0x07}, {0x00, 0x3c});
  expectBytes("log2<4> per_tensor", {-1, -0x1p15f}, {0xf0}, {1, 0, 0, 0, 0, 0, 0xf0, 0});
}

TEST(EncodingTest, AnyBytesDecode) {
  ValueLayout layout{SiteKind::Weight, 4, 12, 2};
  std::mt19937 random(5);
  for (const std::string &spelling : getAllSpellings()) {
    std::shared_ptr<const Format> format = getFormat(spelling);
    EncodedShape shape = llvm::cantFail(getEncodedShape(*format, layout));
    EncodedTensor encoded;
    encoded.codes = Tensor::empty(DType::I8, {shape.rows, shape.rowBytes});
    if (shape.hasScales())
      encoded.scales = Tensor::empty(DType::I8, {shape.numScales, shape.scaleBytes});
    for (int repeat = 0; repeat < 20; ++repeat) {
      for (Tensor *tensor : {&encoded.codes, &encoded.scales})
        if (*tensor)
          for (int8_t &byte : tensor->mutableData<int8_t>())
            byte = static_cast<int8_t>(random());
      EXPECT_TRUE(bool(decode(*format, encoded, layout))) << spelling;
    }
  }
}

TEST(EncodingTest, WrongShapesAreErrors) {
  ValueLayout layout{SiteKind::Weight, 4, 12, 0};
  std::shared_ptr<const Format> format = getFormat("nf4 group=4");
  EncodedTensor encoded = llvm::cantFail(encode(*format, makeWeight({4, 12}, 1, 1), layout));
  EXPECT_EQ(llvm::toString(encode(*format, makeWeight({4, 11}, 1, 1), layout).takeError()),
            "the value has 44 elements, but its layout is 4 x 12");
  EncodedTensor wrong = encoded;
  wrong.scales = Tensor();
  EXPECT_EQ(llvm::toString(decode(*format, wrong, layout).takeError()),
            "scales must be 12 x 2 bytes");
  wrong = encoded;
  wrong.codes = Tensor::zeros(DType::I8, {4, 5});
  EXPECT_EQ(llvm::toString(decode(*format, wrong, layout).takeError()),
            "codes must be 4 x 6 bytes");
  ValueLayout activation{SiteKind::Activation, 4, 12, 0};
  EXPECT_EQ(llvm::toString(encode(*getFormat("i8 sym per_tensor static=99"),
                                  makeWeight({4, 12}, 1, 1), activation)
                               .takeError()),
            "format 'i8 sym per_tensor static=99' takes ranges from calibration and stores no "
            "values");
  Tensor bad = makeWeight({4, 12}, 1, 1);
  bad.mutableData<float>()[7] = NAN;
  EXPECT_EQ(llvm::toString(encode(*format, bad, layout).takeError()),
            "the weight holds a value that is not finite (NaN or infinity)");
}

} // namespace
