//===- LogFormatTest.cpp - Logarithmic formats ----------------------------===//

#include "../Support/TempFolder.h"
#include "FormatTestUtils.h"
#include "ssmq/Formats/Encoding.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>

using namespace ssmq;
using namespace ssmq::test;

namespace {

llvm::Expected<Tensor> tryRound(const std::string &spelling, llvm::ArrayRef<float> values) {
  int64_t columns = values.size();
  return getFormat(spelling)->round(Tensor::fromData<float>({1, columns}, values),
                                    {SiteKind::Parameter, 1, columns, 0}, nullptr);
}

Tensor round(const std::string &spelling, llvm::ArrayRef<float> values) {
  return llvm::cantFail(tryRound(spelling, values));
}

double getMagnitude(llvm::ArrayRef<float> values, size_t i) {
  return std::sqrt(double(values[2 * i]) * values[2 * i] +
                   double(values[2 * i + 1]) * values[2 * i + 1]);
}

/// Complex values as real and imaginary parts, of magnitudes in [least, most].
std::vector<float> makeComplex(std::mt19937 &random, int count, double least, double most) {
  std::uniform_real_distribution<double> angle(-M_PI, M_PI),
      exponent(std::log2(least), std::log2(most));
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    double magnitude = std::exp2(exponent(random)), phase = angle(random);
    values.push_back(float(magnitude * std::cos(phase)));
    values.push_back(float(magnitude * std::sin(phase)));
  }
  return values;
}

/// A system that is stable stays so, however near the unit circle its slowest mode lies.
TEST(LogFormatTest, PolarStaysInsideTheUnitDisc) {
  std::mt19937 random(3);
  for (int magnitudeBits : {1, 2, 4, 8})
    for (int phaseBits : {2, 3, 4, 8, 12})
      for (double most : {0.9, 1 - 1e-3, 1 - 1e-6, 1 - 0x1p-23}) {
        std::string spelling = "logpolar<" + std::to_string(magnitudeBits) + "," +
                               std::to_string(phaseBits) + "> per_tensor";
        std::vector<float> values = makeComplex(random, 64, most / 3, most);
        // The largest floats below one, alone and in a pair.
        values.insert(values.end(), {1 - 0x1p-24f, 0, 0, -(1 - 0x1p-24f)});
        for (size_t i = 0; i < values.size() / 2; ++i)
          if (getMagnitude(values, i) >= 1)
            values[2 * i] *= 0.5f;
        Tensor result = round(spelling, values);
        for (size_t i = 0; i < values.size() / 2; ++i)
          ASSERT_LT(getMagnitude(result.data<float>(), i), 1) << spelling;
      }
}

/// The stable variant gives the same values, and refuses what lies outside.
TEST(LogFormatTest, StablePolar) {
  std::mt19937 random(6);
  for (double most : {0.9, 1 - 1e-6}) {
    std::vector<float> values = makeComplex(random, 64, most / 3, most);
    Tensor plain = round("logpolar<2,6> per_tensor", values);
    Tensor stable = round("logpolar<2,6> stable per_tensor", values);
    EXPECT_EQ(plain.data<float>(), stable.data<float>());
  }
  for (std::vector<float> values : {std::vector<float>{0.5f, 0, 0, -1}, {0.8f, 0.6f}, {2, 1}})
    expectMessage(getMessage(tryRound("logpolar<2,6> stable per_tensor", values)),
                  "the parameter holds complex values of magnitude 1 or more");
}

/// Whatever the bits are, so that the format alone proves it.
TEST(LogFormatTest, StablePolarDecodesInsideTheUnitDiscOnly) {
  std::mt19937 random(7);
  for (const char *spelling :
       {"logpolar<1,2> stable per_tensor", "logpolar<1,7> stable per_tensor",
        "logpolar<8,8> stable per_tensor", "logpolar<4,12> stable per_tensor"})
    for (int trial = 0; trial < 200; ++trial) {
      std::shared_ptr<const Format> format = getFormat(spelling);
      ValueLayout layout{SiteKind::Parameter, 1, 64, 0};
      EncodedShape shape = llvm::cantFail(getEncodedShape(*format, layout));
      EncodedTensor encoded{Tensor::empty(DType::I8, {shape.rows, shape.rowBytes}),
                            Tensor::empty(DType::I8, {shape.numScales, shape.scaleBytes})};
      for (Tensor *part : {&encoded.codes, &encoded.scales})
        for (int8_t &byte : part->mutableData<int8_t>())
          byte = static_cast<int8_t>(random());
      Tensor values = llvm::cantFail(decode(*format, encoded, layout));
      for (size_t i = 0; i < 32; ++i)
        ASSERT_LT(getMagnitude(values.data<float>(), i), 1) << spelling;
    }
}

TEST(LogFormatTest, PolarErrorBoundAndIdempotence) {
  std::mt19937 random(4);
  for (int magnitudeBits : {1, 2, 4, 8})
    for (int phaseBits : {2, 4, 7, 12})
      for (auto [least, most] :
           {std::pair(0.5, 0.999), {1e-3, 1e3}, {1e-30, 1e30}, {1.0, 1.0001}, {1.0, 1.00001}}) {
        std::string spelling = "logpolar<" + std::to_string(magnitudeBits) + "," +
                               std::to_string(phaseBits) + "> per_tensor";
        std::vector<float> values = makeComplex(random, 64, least, most);
        Tensor once = round(spelling, values);
        double step = std::log2(most / least) / ((1 << magnitudeBits) - 1);
        double allowed = std::exp2(step / 2 + 0x1p-19) - 1 +
                         std::exp2(step / 2) * M_PI / (1 << phaseBits) + 0x1p-22;
        for (size_t i = 0; i < 64; ++i) {
          std::vector<float> error = {once.data<float>()[2 * i] - values[2 * i],
                                      once.data<float>()[2 * i + 1] - values[2 * i + 1]};
          ASSERT_LE(getMagnitude(error, 0), getMagnitude(values, i) * allowed) << spelling;
        }
        Tensor twice = round(spelling, once.data<float>());
        ASSERT_EQ(std::memcmp(once.getRawData(), twice.getRawData(), once.getNumBytes()), 0)
            << spelling;
      }
}

/// Conjugate pairs stay pairs, except at half a turn, which is its own conjugate.
TEST(LogFormatTest, PolarOfConjugates) {
  std::mt19937 random(5);
  std::vector<float> values = makeComplex(random, 32, 0.5, 0.9), conjugates = values;
  for (size_t i = 1; i < conjugates.size(); i += 2)
    conjugates[i] = -conjugates[i];
  Tensor a = round("logpolar<3,5> per_tensor", values);
  Tensor b = round("logpolar<3,5> per_tensor", conjugates);
  for (size_t i = 0; i < values.size(); ++i) {
    float expected = i % 2 ? -a.data<float>()[i] : a.data<float>()[i];
    EXPECT_NEAR(b.data<float>()[i], expected, 1e-7f);
  }
}

TEST(LogFormatTest, RealPowersOfTwoAreExact) {
  std::vector<float> values;
  for (int exponent = -8; exponent < 8; ++exponent)
    values.push_back(-std::exp2(float(exponent)));
  Tensor result = round("log2<4> per_tensor", values);
  EXPECT_EQ(result.data<float>(), llvm::ArrayRef<float>(values));
}

TEST(LogFormatTest, Refusals) {
  expectMessage(getMessage(tryRound("log2<8> per_tensor", {1, -1})),
                "the parameter holds negative and positive values in one run");
  expectMessage(getMessage(tryRound("log2<8> per_tensor", {1, 0})),
                "the parameter holds a zero beside other values");
  expectMessage(getMessage(tryRound("log2<8> per_tensor", {1, 1e-40f})), "a zero beside");
  expectMessage(getMessage(tryRound("logpolar<1,4> per_tensor", {1, 0, 0, 0})), "a zero beside");
  for (auto [spelling, value, isUnfit] : {std::tuple("log2<8> per_tensor", -1.f, true),
                                          {"log2<8> per_tensor", NAN, false},
                                          {"f16", 1e30f, true},
                                          {"f16", INFINITY, false}})
    EXPECT_EQ(tryRound(spelling, {1, value}).errorIsA<UnfitValueError>(), isUnfit) << spelling;
  EXPECT_EQ(getMessage(tryRound("log2<8> group=2", {1, 2, -1, -2, 0, 0})), "");
}

} // namespace
