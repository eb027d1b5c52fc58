//===- CholeskyTest.cpp - Factors of symmetric matrices -------------------===//

#include "ssmq/Refine/Cholesky.h"
#include "RefineTestUtils.h"
#include "gtest/gtest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class CholeskyTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(CholeskyTest, GivesTheMatrixBack) {
  int64_t n = GetParam();
  Hessian hessian = makeHessian(makeInputs(2 * n + 1, n, 5));
  hessian.addIdentity(0.01);
  std::vector<double> a(n * n);
  for (int64_t i = 0; i < n * n; ++i)
    a[i] = hessian.get(i / n, i % n);
  std::vector<double> threaded = a;
  ASSERT_TRUE(factorCholesky(a, n));
  ASSERT_TRUE(factorCholesky(threaded, n, 3));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t k = 0; k <= j; ++k)
        sum += a[i * n + k] * a[j * n + k];
      ASSERT_NEAR(sum, hessian.get(i, j), 1e-12 * hessian.getMeanDiagonal() * n);
      ASSERT_EQ(a[i * n + j], threaded[i * n + j]);
    }
}

// One panel, more than one, and sizes that no tile divides.
INSTANTIATE_TEST_SUITE_P(Sizes, CholeskyTest, ::testing::Values(1, 5, 64, 67, 141, 200));

TEST(CholeskyTest, RefusesWhatIsNotPositiveDefinite) {
  std::vector<double> a = {1, 2, 2, 1};
  EXPECT_FALSE(factorCholesky(a, 2));
  std::vector<double> bad = {1, 0, std::numeric_limits<double>::quiet_NaN(), 1};
  EXPECT_FALSE(factorCholesky(bad, 2));
}

} // namespace
