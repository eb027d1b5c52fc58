//===- GPTQTest.cpp - Rounding that makes up for its own errors -----------===//

#include "RefineTestUtils.h"
#include "ssmq/Refine/Refine.h"
#include "gtest/gtest.h"
#include <limits>

using namespace llvm;
using namespace ssmq;
using namespace ssmq::test;

namespace {

std::shared_ptr<const Format> parse(StringRef spelling) {
  Expected<std::shared_ptr<const Format>> format = parseFormat(spelling);
  EXPECT_TRUE(bool(format));
  return *format;
}

class GPTQTest : public ::testing::TestWithParam<const char *> {
protected:
  double measure(Expected<QuantizedTensor> quantized) const {
    EXPECT_TRUE(bool(quantized));
    return measureOutputError(weight, dequantize(*quantized), hessian);
  }
  Expected<QuantizedTensor> refine(RefineMethod method, const GPTQOptions &options = {}) const {
    return refineWeight(*format, weight, method, &hessian, options);
  }

  std::shared_ptr<const Format> format = parse(GetParam());
  // Columns that no block and no group of the formats below divides.
  Tensor weight = makeNormal({20, 150}, 11);
  Hessian hessian = makeHessian(makeInputs(400, 150, 12));
};

TEST_P(GPTQTest, LosesLessOfTheOutputThanScalesAlone) {
  double nearest = measure(format->quantize(weight)),
         scales = measure(refine(RefineMethod::Hessian)),
         gptq = measure(refine(RefineMethod::GPTQ));
  EXPECT_LT(scales, nearest);
  EXPECT_LT(gptq, 0.6 * scales);
  GPTQOptions ordered;
  ordered.activationOrder = true;
  EXPECT_LT(measure(refine(RefineMethod::GPTQ, ordered)), 0.6 * scales);
}

TEST_P(GPTQTest, SweepsLoseLessStill) {
  GPTQOptions plain;
  plain.sweeps = 0;
  EXPECT_LT(measure(refine(RefineMethod::GPTQ)), measure(refine(RefineMethod::GPTQ, plain)));
}

TEST_P(GPTQTest, DoesNotDependOnThreads) {
  GPTQOptions threaded;
  threaded.threads = 3;
  Expected<QuantizedTensor> one = refine(RefineMethod::GPTQ),
                            three = refine(RefineMethod::GPTQ, threaded);
  ASSERT_TRUE(one && three);
  EXPECT_EQ(one->codes.data<int8_t>(), three->codes.data<int8_t>());
  EXPECT_EQ(dequantize(*one).data<float>(), dequantize(*three).data<float>());
}

INSTANTIATE_TEST_SUITE_P(Formats, GPTQTest,
                         ::testing::Values("int2:channel", "int3:channel", "int3:g40", "int4:g64",
                                           "int4:g128:asym", "int4:channel:asym", "int8:g10"));

TEST(GPTQTest, IndependentInputsLeaveNothingToMakeUpFor) {
  Tensor weight = makeNormal({6, 32}, 13);
  Hessian identity(32);
  Tensor units = Tensor::zeros(DType::F32, {32, 32});
  for (int64_t i = 0; i < 32; ++i)
    units.mutableData<float>()[i * 33] = 1;
  identity.add(units);
  std::shared_ptr<const Format> format = parse("int4:g16");
  GPTQOptions plain;
  plain.sweeps = 0;
  Expected<QuantizedTensor> gptq =
                                refineWeight(*format, weight, RefineMethod::GPTQ, &identity, plain),
                            mse = refineWeight(*format, weight, RefineMethod::MSE, nullptr);
  ASSERT_TRUE(gptq && mse);
  EXPECT_EQ(dequantize(*gptq).data<float>(), dequantize(*mse).data<float>());
}

TEST(GPTQTest, ColumnsThatNoInputUses) {
  Tensor inputs = makeInputs(50, 8, 14);
  for (int64_t t = 0; t < 50; ++t)
    inputs.mutableData<float>()[t * 8 + 3] = 0;
  Hessian hessian = makeHessian(inputs), none(8);
  Tensor weight = makeNormal({4, 8}, 15);
  for (int64_t row = 0; row < 4; ++row) // a large one might be clipped, as it counts for nothing
    weight.mutableData<float>()[row * 8 + 3] = 0.1F * static_cast<float>(row);
  for (const Hessian &one : {hessian, none}) {
    Expected<QuantizedTensor> gptq =
        refineWeight(*parse("int8:channel"), weight, RefineMethod::GPTQ, &one);
    ASSERT_TRUE(bool(gptq));
    Tensor values = dequantize(*gptq);
    for (int64_t row = 0; row < 4; ++row)
      EXPECT_NEAR(values.data<float>()[row * 8 + 3], weight.data<float>()[row * 8 + 3], 0.02);
  }
}

TEST(GPTQTest, RefusesBadInputs) {
  Tensor weight = makeNormal({4, 8}, 16), inputs = makeInputs(9, 8, 17);
  Hessian other = makeHessian(makeInputs(9, 7, 17));
  auto message = [&](const Hessian &hessian) {
    return toString(
        refineWeight(*parse("int4:channel"), weight, RefineMethod::GPTQ, &hessian).takeError());
  };
  EXPECT_EQ(message(other), "the inputs have 7 channels, but the weight 8 columns");
  inputs.mutableData<float>()[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(message(makeHessian(inputs)), "the inputs are not finite");
  EXPECT_EQ(toString(parseRefineMethod("best").takeError()),
            "method 'best' is not known; take mse, hessian or gptq");
}

} // namespace
