//===- HessianTest.cpp - Second moments of inputs -------------------------===//

#include "RefineTestUtils.h"
#include "gtest/gtest.h"
#include <limits>

using namespace ssmq;
using namespace ssmq::test;

namespace {

TEST(HessianTest, SumsProductsOverAllTokens) {
  // More tokens and columns than a block has of either.
  Tensor inputs = makeInputs(300, 150, 1);
  Hessian hessian = makeHessian(inputs);
  auto x = inputs.data<float>();
  for (int64_t i : {0, 7, 127, 128, 149})
    for (int64_t j : {0, 64, 127, 149}) {
      double sum = 0;
      for (int64_t t = 0; t < 300; ++t)
        sum += static_cast<double>(x[t * 150 + i]) * x[t * 150 + j];
      EXPECT_NEAR(hessian.get(i, j), sum, 1e-5 * hessian.getMeanDiagonal());
      EXPECT_EQ(hessian.get(i, j), hessian.get(j, i));
    }
  EXPECT_EQ(hessian.getNumTokens(), 300);
}

TEST(HessianTest, DoesNotDependOnThreads) {
  Tensor inputs = makeInputs(70, 300, 2);
  Hessian one = makeHessian(inputs, 1), three = makeHessian(inputs, 3);
  for (int64_t i = 0; i < 300; ++i)
    for (int64_t j = 0; j < 300; ++j)
      ASSERT_EQ(one.get(i, j), three.get(i, j));
}

TEST(HessianTest, TellsWhatIsNotFinite) {
  Tensor inputs = makeInputs(4, 3, 3);
  EXPECT_TRUE(makeHessian(inputs).isFinite());
  inputs.mutableData<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(makeHessian(inputs).isFinite());
}

} // namespace
