//===- FoldScalesTest.cpp - Moves the size of channels into weights -------===//

#include "ssmq/Refine/FoldScales.h"
#include "RefineTestUtils.h"
#include "ssmq/Refine/GPTQ.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace llvm;
using namespace ssmq;
using namespace ssmq::test;

namespace {

std::vector<double> getMagnitudes(const Tensor &inputs) {
  int64_t columns = inputs.getDim(1);
  std::vector<double> result(columns);
  for (int64_t i = 0; i < inputs.getNumElements(); ++i)
    result[i % columns] += std::fabs(inputs.data<float>()[i]) / inputs.getDim(0);
  return result;
}

FoldedLayer makeLayer(int64_t columns, unsigned seed, StringRef format) {
  return {makeNormal({12, columns}, seed), cantFail(parseFormat(format))};
}

TEST(FoldScalesTest, LargeChannelsAreRoundedBetter) {
  Tensor inputs = makeNormal({100, 32}, 1);
  for (int64_t t = 0; t < 100; ++t)
    for (int64_t i : {3, 17}) // outliers, as activations of language models have them
      inputs.mutableData<float>()[t * 32 + i] *= 30;
  Hessian hessian = makeHessian(inputs);
  // Also formats that cannot be stored in codes.
  for (const char *format : {"int3:channel", "int4:g16", "nf4"}) {
    FoldedLayer layers[] = {makeLayer(32, 2, format), makeLayer(32, 3, format)};
    Expected<FoldResult> fold = searchFold(layers, getMagnitudes(inputs), hessian, 10);
    ASSERT_TRUE(bool(fold));
    ASSERT_GT(fold->alpha, 0);
    EXPECT_LT(fold->errorAfter, 0.7 * fold->errorBefore);
    EXPECT_GT(fold->errorAfter, 0);
    EXPECT_GT(fold->scales[3], 1);
    EXPECT_LT(fold->scales[4], 1);
    // The same error, computed from the inputs divided and the weight multiplied.
    Tensor divided = scaleColumns(inputs, [&] {
      std::vector<float> inverse;
      for (float scale : fold->scales)
        inverse.push_back(1 / scale);
      return inverse;
    }());
    Tensor large = scaleColumns(layers[0].weight, fold->scales);
    double whole =
        measureOutputError(layers[0].weight, Tensor::zeros(DType::F32, {12, 32}), hessian);
    EXPECT_NEAR(
        measureOutputError(large, Tensor::zeros(DType::F32, {12, 32}), makeHessian(divided)), whole,
        1e-4 * whole);
  }
}

TEST(FoldScalesTest, NothingIsFoldedWhereItDoesNotHelp) {
  // All channels are alike, and there are none.
  Tensor units = Tensor::zeros(DType::F32, {16, 16});
  for (int64_t i = 0; i < 16; ++i)
    units.mutableData<float>()[i * 17] = 1;
  FoldedLayer layer = makeLayer(16, 4, "int4:channel");
  for (const Tensor &inputs : {units, Tensor::zeros(DType::F32, {4, 16})}) {
    Expected<FoldResult> fold = searchFold(layer, getMagnitudes(inputs), makeHessian(inputs), 5);
    ASSERT_TRUE(bool(fold));
    EXPECT_EQ(fold->alpha, 0);
    EXPECT_TRUE(fold->scales.empty());
    EXPECT_EQ(fold->errorBefore, fold->errorAfter);
  }
}

TEST(FoldScalesTest, ChannelsWithoutInputKeepTheirSize) {
  Tensor inputs = makeInputs(60, 16, 5);
  for (int64_t t = 0; t < 60; ++t)
    inputs.mutableData<float>()[t * 16 + 9] = 0;
  Expected<FoldResult> fold =
      searchFold(makeLayer(16, 6, "int3:channel"), getMagnitudes(inputs), makeHessian(inputs), 10);
  ASSERT_TRUE(bool(fold));
  ASSERT_FALSE(fold->scales.empty());
  EXPECT_EQ(fold->scales[9], 1);
}

TEST(FoldScalesTest, RowsFromTheFirstOnAreDivided) {
  Tensor weight = Tensor::fromData<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  Tensor divided = divideRows(weight, {2, 4}, /*first=*/1);
  EXPECT_EQ(divided.data<float>().vec(), (std::vector<float>{1, 2, 1.5, 2, 1.25, 1.5}));
  Tensor norm = Tensor::fromData<float>({2}, {1, 2});
  EXPECT_EQ(divideRows(norm, {2, 4}).data<float>().vec(), (std::vector<float>{0.5, 0.5}));
}

} // namespace
