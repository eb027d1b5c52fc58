//===- IntegerFormatTest.cpp - Properties of integer formats --------------===//

#include "ssmq/Formats/Format.h"

#include "../Support/TempFolder.h"
#include "FormatTestUtils.h"
#include "ssmq/Formats/Numerics.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace ssmq;
using namespace ssmq::test;

namespace {

llvm::ArrayRef<float> getValues(const Tensor &tensor) { return tensor.data<float>(); }

bool isAsymmetric(const Format &format) { return format.getNumerics().isAsymmetric(); }

std::shared_ptr<const Format> getSymmetric(int bits, const std::string &sharing = "per_channel") {
  return getFormat("i" + std::to_string(bits) + " sym " + sharing);
}

Tensor roundTrip(const Format &format, const Tensor &weight) {
  return llvm::cantFail(fakeQuantize(format, weight));
}

/// Half a scale, or a whole one at the ends of an asymmetric range; the scale is at most the ideal
/// one rounded up to f16.
TEST(IntegerFormatTest, ErrorIsBoundByTheScale) {
  for (const std::string &spelling : getSpellings()) {
    auto format = getFormat(spelling);
    for (int kind : {0, 1, 2})
      for (float size : {1e-3f, 1.f, 300.f}) {
        Tensor weight = makeWeight({3, 37}, kind, size, kind);
        QuantizedTensor quantized = llvm::cantFail(format->quantize(weight));
        std::vector<float> scales = getScales(quantized);
        Tensor result = dequantize(quantized);
        float largest =
            *std::max_element(getValues(weight).begin(), getValues(weight).end(),
                              [](float a, float b) { return std::abs(a) < std::abs(b); });
        double steps = isAsymmetric(*format) ? (1 << format->getCodeBits()) - 1
                                             : (1 << (format->getCodeBits() - 1)) - 1;
        double range = (isAsymmetric(*format) ? 2 : 1) * std::abs(largest);
        for (size_t i = 0; i < scales.size(); ++i) {
          double allowed = scales[i] * (isAsymmetric(*format) ? 1 : 0.5) * (1 + 1e-6);
          ASSERT_LE(std::abs(getValues(weight)[i] - getValues(result)[i]), allowed) << spelling;
          ASSERT_LE(scales[i], range / steps * (1 + 0x1p-10) + 0x1p-24) << spelling;
        }
      }
  }
}

/// The scale is exactly the ideal one rounded up: the largest value takes the largest code.
TEST(IntegerFormatTest, LargestValueTakesTheLargestCode) {
  for (int bits = 2; bits <= 8; ++bits) {
    auto format = getSymmetric(bits);
    Tensor weight = makeWeight({5, 16}, bits, 1);
    QuantizedTensor quantized = llvm::cantFail(format->quantize(weight, 1));
    for (int row = 0; row < 5; ++row) {
      int largest = 0;
      for (int8_t code : quantized.codes.data<int8_t>().slice(row * 16, 16))
        largest = std::max(largest, std::abs(int(code)));
      EXPECT_EQ(largest, (1 << (bits - 1)) - 1);
    }
  }
}

TEST(IntegerFormatTest, Idempotent) {
  for (const std::string &spelling : getSpellings()) {
    auto format = getFormat(spelling);
    for (float size : {1e-7f, 1e-5f, 0.02f, 1.f})
      for (unsigned seed = 0; seed < 5; ++seed) {
        Tensor once = roundTrip(*format, makeWeight({4, 45}, seed, size, seed % 3));
        EXPECT_EQ(getValues(roundTrip(*format, once)), getValues(once)) << spelling;
      }
  }
}

/// The codes that the rewrite stores are the values that were measured.
TEST(IntegerFormatTest, CodesAreWhatIsMeasured) {
  for (const std::string &spelling : getSpellings())
    for (float size : {1e-6f, 0.02f, 30.f}) {
      auto format = getFormat(spelling);
      Tensor weight = makeWeight({4, 45}, 3, size);
      Tensor measured = roundTrip(*format, weight);
      Tensor stored = dequantize(llvm::cantFail(format->quantize(weight, 2)));
      EXPECT_EQ(std::memcmp(measured.getRawData(), stored.getRawData(), measured.getNumBytes()), 0)
          << spelling;
    }
}

TEST(IntegerFormatTest, Monotone) {
  for (const std::string &spelling : getSpellings()) {
    auto format = getFormat(spelling);
    Tensor weight = makeWeight({1, 32}, 11, 1);
    auto values = weight.mutableData<float>();
    std::sort(values.begin(), values.end());
    Tensor result = roundTrip(*format, weight);
    auto scales = getScales(llvm::cantFail(format->quantize(weight)));
    for (size_t i = 1; i < 32; ++i)
      if (scales[i] == scales[i - 1] &&
          llvm::cantFail(format->getRuns(ValueLayout::ofWeight({1, 32}))).runSize == 32)
        EXPECT_LE(getValues(result)[i - 1], getValues(result)[i]) << spelling;
  }
}

/// Mirrored weights give mirrored values: -2^(b-1) is never used.
TEST(IntegerFormatTest, SymmetricIsOdd) {
  for (int bits = 2; bits <= 8; ++bits) {
    auto format = getSymmetric(bits, "group=8");
    Tensor weight = makeWeight({2, 24}, bits, 1), mirrored = weight.clone();
    for (float &value : mirrored.mutableData<float>())
      value = -value;
    Tensor a = roundTrip(*format, weight), b = roundTrip(*format, mirrored);
    for (size_t i = 0; i < getValues(a).size(); ++i)
      EXPECT_EQ(getValues(a)[i], -getValues(b)[i]);
  }
}

/// A run sees its own values only, the last one too, however short.
TEST(IntegerFormatTest, RunsAreIndependent) {
  for (const char *symmetry : {"sym", "asym"}) {
    auto grouped = getFormat(std::string("i4 ") + symmetry + " group=32");
    auto whole = getFormat(std::string("i4 ") + symmetry + " per_channel");
    Tensor weight = makeWeight({2, 70}, 3, 1, 1);
    QuantizedTensor quantized = llvm::cantFail(grouped->quantize(weight));
    EXPECT_EQ(quantized.scales.getShape(), llvm::ArrayRef<int64_t>({2, 3}));
    Tensor result = dequantize(quantized);
    for (int64_t row = 0; row < 2; ++row)
      for (auto [begin, size] : {std::pair(0, 32), std::pair(32, 32), std::pair(64, 6)}) {
        auto run = getValues(weight).slice(row * 70 + begin, size);
        Tensor alone = roundTrip(*whole, Tensor::fromData<float>({1, size}, run));
        EXPECT_EQ(getValues(alone), getValues(result).slice(row * 70 + begin, size));
      }
  }
}

TEST(IntegerFormatTest, WhatFitsTheGridIsExact) {
  for (const std::string &spelling : getSpellings()) {
    auto format = getFormat(spelling);
    // All equal; zeros; small integers that reach the largest code.
    int q = (1 << (format->getCodeBits() - 1)) - 1;
    std::vector<float> grid(32, 0.f);
    for (size_t i = 0; i < grid.size(); ++i)
      grid[i] = i % 2 ? float(q) : -float(q);
    for (std::vector<float> values :
         {std::vector<float>(32, 0.f), std::vector<float>(32, -0.f), std::vector<float>(32, 3.f),
          std::vector<float>(32, -0.5f), grid}) {
      if (isAsymmetric(*format) && values == grid)
        continue;
      Tensor weight = Tensor::fromData<float>({1, 32}, values);
      Tensor result = roundTrip(*format, weight);
      for (size_t i = 0; i < 32; ++i)
        EXPECT_NEAR(getValues(result)[i], values[i], std::abs(values[i]) * 0x1p-9) << spelling;
    }
  }
}

TEST(IntegerFormatTest, ScaleOfZerosIsZero) {
  for (const std::string &spelling : getSpellings()) {
    QuantizedTensor quantized =
        llvm::cantFail(getFormat(spelling)->quantize(Tensor::zeros(DType::F32, {2, 9})));
    for (float scale : getScales(quantized))
      EXPECT_EQ(scale, 0);
    Tensor result = dequantize(quantized);
    for (float value : getValues(result))
      EXPECT_EQ(value, 0);
  }
}

/// Scales are no finer than the smallest f16, 2^-24: tinier weights become zero.
TEST(IntegerFormatTest, SubnormalWeights) {
  for (const std::string &spelling : getSpellings())
    for (float tiny : {1e-45f, 1e-38f, 1e-9f, 1e-7f}) {
      Tensor weight = makeWeight({1, 40}, 5, tiny);
      QuantizedTensor quantized = llvm::cantFail(getFormat(spelling)->quantize(weight));
      Tensor result = dequantize(quantized);
      auto scales = getScales(quantized);
      for (size_t i = 0; i < 40; ++i) {
        EXPECT_TRUE(std::isfinite(getValues(result)[i]));
        EXPECT_LE(std::abs(getValues(result)[i] - getValues(weight)[i]), scales[i] + 0x1p-24f)
            << spelling;
      }
    }
}

TEST(IntegerFormatTest, LargeWeights) {
  // 65504 is the largest f16: times the largest code, what a symmetric format can hold.
  for (int bits = 2; bits <= 8; ++bits) {
    auto format = getSymmetric(bits);
    float most = 65504.f * float((1 << (bits - 1)) - 1);
    EXPECT_EQ(getValues(roundTrip(*format, Tensor::fromData<float>({1, 1}, most)))[0], most);
    float next = most * (1 + 0x1p-10f);
    expectMessage(getMessage(format->quantize(Tensor::fromData<float>({1, 1}, next), 1)),
                  "too large for format 'i" + std::to_string(bits) + " sym");
  }
  for (const std::string &spelling : getSpellings()) {
    const float huge = std::numeric_limits<float>::max();
    expectMessage(
        getMessage(getFormat(spelling)->quantize(Tensor::fromData<float>({1, 2}, {huge, -huge}))),
        "too large for format");
  }
}

TEST(IntegerFormatTest, RefusesWhatIsNotFinite) {
  for (const std::string &spelling : getSpellings())
    for (float bad : {NAN, -NAN, INFINITY, -INFINITY})
      for (size_t at : {0, 12, 24}) {
        Tensor weight = makeWeight({1, 25}, 1, 1);
        weight.mutableData<float>()[at] = bad;
        expectMessage(getMessage(getFormat(spelling)->quantize(weight, 2)), "not finite");
      }
}

TEST(IntegerFormatTest, ThreadsAndTypesDoNotMatter) {
  for (const std::string &spelling : getSpellings()) {
    auto format = getFormat(spelling);
    Tensor half = Tensor::empty(DType::BF16, {7, 3, 5}),
           wide = Tensor::empty(DType::F32, {7, 3, 5});
    Tensor source = makeWeight({7, 15}, 9, 1);
    for (int i = 0; i < 105; ++i) {
      uint16_t bits = floatToBFloat(getValues(source)[i]);
      static_cast<uint16_t *>(half.getMutableRawData())[i] = bits;
      wide.mutableData<float>()[i] = bfloatToFloat(bits);
    }
    Tensor one = llvm::cantFail(fakeQuantize(*format, wide, 1));
    EXPECT_EQ(getValues(one), getValues(llvm::cantFail(fakeQuantize(*format, wide, 3))));
    EXPECT_EQ(getValues(one), getValues(llvm::cantFail(fakeQuantize(*format, half, 2))));
    EXPECT_EQ(one.getShape(), wide.getShape());
  }
}

/// Asymmetric ranges end near the smallest and the largest value, not at their mirror images.
TEST(IntegerFormatTest, AsymmetricUsesTheWholeRange) {
  auto symmetric = getFormat("i4 sym per_channel"), asymmetric = getFormat("i4 asym per_channel");
  Tensor weight = makeWeight({8, 64}, 2, 1, 2);
  auto getError = [&](const Format &tried) {
    double error = 0;
    Tensor result = roundTrip(tried, weight);
    for (size_t i = 0; i < getValues(weight).size(); ++i)
      error += std::pow(getValues(result)[i] - getValues(weight)[i], 2);
    return error;
  };
  EXPECT_LT(getError(*asymmetric), getError(*symmetric) / 3);
}

TEST(IntegerFormatTest, CodesOfOtherFormats) {
  for (const char *spelling : {"i16 sym per_channel", "i8 sym per_tensor", "f16", "nf4", "mxfp4"}) {
    EXPECT_FALSE(getFormat(spelling)->hasCodes());
    expectMessage(getMessage(getFormat(spelling)->quantize(makeWeight({2, 2}, 1, 1))),
                  "can be measured, but weights cannot be stored in it yet");
  }
}

TEST(IntegerFormatTest, EmptyWeights) {
  for (const Shape &shape : {Shape{0, 5}, Shape{5, 0}}) {
    QuantizedTensor quantized =
        llvm::cantFail(getFormat("i4 asym group=4")->quantize(Tensor::zeros(DType::F32, shape)));
    EXPECT_EQ(dequantize(quantized).getNumElements(), 0);
  }
}

} // namespace
