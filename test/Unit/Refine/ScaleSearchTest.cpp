//===- ScaleSearchTest.cpp - The best grid for a run of values ------------===//

#include "ssmq/Refine/ScaleSearch.h"
#include "RefineTestUtils.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Refine/Refine.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace ssmq;
using namespace ssmq::test;

namespace {

std::shared_ptr<const Format> parse(StringRef spelling) {
  Expected<std::shared_ptr<const Format>> format = parseFormat(spelling);
  EXPECT_TRUE(bool(format));
  return *format;
}

double measureError(const Tensor &weight, const QuantizedTensor &quantized,
                    const Hessian *hessian = nullptr) {
  Tensor rounded = dequantize(quantized);
  double sum = 0;
  for (int64_t i = 0; i < weight.getNumElements(); ++i) {
    double error = static_cast<double>(weight.data<float>()[i]) - rounded.data<float>()[i];
    int64_t column = i % weight.getDim(1);
    sum += (hessian ? hessian->get(column, column) : 1) * error * error;
  }
  return sum;
}

class ScaleSearchTest : public ::testing::TestWithParam<const char *> {};

TEST_P(ScaleSearchTest, IsBetterThanTheLargestValueInItsOwnMeasure) {
  std::shared_ptr<const Format> format = parse(GetParam());
  Tensor weight = makeNormal({24, 50}, 7);
  Hessian hessian = makeHessian(makeInputs(80, 50, 8));
  Expected<QuantizedTensor> nearest = format->quantize(weight);
  Expected<QuantizedTensor> mse = refineWeight(*format, weight, RefineMethod::MSE, nullptr);
  Expected<QuantizedTensor> weighted =
      refineWeight(*format, weight, RefineMethod::Hessian, &hessian);
  ASSERT_TRUE(nearest && mse && weighted);
  double plain = measureError(weight, *mse), diagonal = measureError(weight, *weighted, &hessian);
  EXPECT_LT(plain, 0.99 * measureError(weight, *nearest));
  EXPECT_LT(diagonal, 0.99 * measureError(weight, *nearest, &hessian));
  // Each is the best of the two in its own measure.
  EXPECT_LT(plain, measureError(weight, *weighted));
  EXPECT_LT(diagonal, measureError(weight, *mse, &hessian));
  EXPECT_EQ(mse->scales.getShape(), nearest->scales.getShape());
}

TEST_P(ScaleSearchTest, CodesStayInRange) {
  std::shared_ptr<const Format> format = parse(GetParam());
  Expected<QuantizedTensor> mse =
      refineWeight(*format, makeNormal({24, 50}, 9), RefineMethod::MSE, nullptr);
  ASSERT_TRUE(bool(mse));
  IntegerCodes codes{format->getCodeBits(), !mse->zeroPoints};
  for (int8_t code : mse->codes.data<int8_t>()) {
    ASSERT_GE(code, codes.lowest());
    ASSERT_LE(code, codes.highest());
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ScaleSearchTest,
                         ::testing::Values("int2:g16", "int3:channel", "int3:g16:asym", "int4:g7",
                                           "int4:channel:asym", "int5:g25"));

TEST(ScaleSearchTest, ValuesOnAGridStayAsTheyAre) {
  Tensor weight = makeNormal({4, 32}, 10);
  for (const char *spelling : {"int3:g16", "int4:channel", "int4:g16:asym"}) {
    std::shared_ptr<const Format> format = parse(spelling);
    Expected<QuantizedTensor> nearest = format->quantize(weight);
    ASSERT_TRUE(bool(nearest));
    Tensor values = dequantize(*nearest);
    Expected<QuantizedTensor> again = refineWeight(*format, values, RefineMethod::MSE, nullptr);
    ASSERT_TRUE(bool(again));
    EXPECT_EQ(dequantize(*again).data<float>(), values.data<float>()) << spelling;
  }
}

TEST(ScaleSearchTest, RunsOfZerosAndHugeValues) {
  IntegerCodes codes{3, false};
  std::vector<float> zeros(5), huge(5, 3e38F);
  huge[2] = -3e38F;
  EXPECT_EQ(searchGrid(codes, zeros, {}, makeIntegerGrid(codes, 0, 0)).scale, 0);
  IntegerGrid grid = searchGrid(codes, huge, {}, makeIntegerGrid(codes, -3e38F, 3e38F));
  EXPECT_TRUE(std::isfinite(grid.scale));
  EXPECT_EQ(grid.encode(3e38F), codes.highest());
}

} // namespace
