//===- ChangeGemmTest.cpp - Products of small changes in bytes ------------===//

#include "ssmq/Kernels/ChangeGemm.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace ssmq;

static std::vector<float> makeNormal(int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(engine);
  return values;
}

/// Energy of what addProduct gets wrong, over that of the product.
static double getRelativeError(const std::vector<float> &change, const std::vector<float> &weight,
                               int64_t m, int64_t n, int64_t k, unsigned threads = 1) {
  auto packed = ByteWeight::create({weight.data(), k}, n, k, threads);
  EXPECT_TRUE(packed);
  std::vector<float> base = makeNormal(m * n, 3), y(m * n);
  addProduct({base.data(), n}, {change.data(), k}, *packed, {y.data(), n}, m, threads);
  double error = 0, energy = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += static_cast<double>(change[i * k + p]) * weight[j * k + p];
      double difference = y[i * n + j] - base[i * n + j] - sum;
      error += difference * difference;
      energy += sum * sum;
    }
  return error / energy;
}

class ChangeGemmTest : public testing::Test {
protected:
  void SetUp() override {
    if (!hasByteProducts())
      GTEST_SKIP() << "this machine has no byte dot products";
  }
};

TEST_F(ChangeGemmTest, IsRightToAPartOfTheChange) {
  struct {
    int64_t m, n, k;
  } shapes[] = {{1, 1, 1}, {13, 70, 33}, {255, 64, 256}, {12, 32, 4}, {5, 31, 1023}};
  for (auto [m, n, k] : shapes) {
    auto weight = makeNormal(n * k, 1), change = makeNormal(m * k, 2);
    EXPECT_LT(getRelativeError(change, weight, m, n, k), 4e-4) << m << "x" << n << "x" << k;
  }
}

TEST_F(ChangeGemmTest, KeepsSmallValuesBesideOutliers) {
  int64_t m = 20, n = 40, k = 128;
  auto weight = makeNormal(n * k, 1), change = makeNormal(m * k, 2);
  // The outlier meets zeros, so that only the small values count.
  for (int64_t i = 0; i < m; i += 2)
    change[i * k] = 200;
  for (int64_t j = 0; j < n; ++j)
    weight[j * k] = 0;
  EXPECT_LT(getRelativeError(change, weight, m, n, k), 4e-4);
}

TEST_F(ChangeGemmTest, RefusesAWeightWithOutliers) {
  auto weight = makeNormal(8 * 256, 1);
  weight[256] = 100;
  EXPECT_FALSE(ByteWeight::create({weight.data(), 256}, 8, 256));
  weight[256] = NAN;
  EXPECT_FALSE(ByteWeight::create({weight.data(), 256}, 8, 256));
}

TEST_F(ChangeGemmTest, NoChangeAddsNothing) {
  auto weight = makeNormal(8 * 16, 1), y = makeNormal(4 * 8, 2), before = y;
  std::vector<float> change(4 * 16, 0.0f);
  addProduct({y.data(), 8}, {change.data(), 16}, *ByteWeight::create({weight.data(), 16}, 8, 16),
             {y.data(), 8}, 4);
  EXPECT_EQ(y, before);
}

TEST_F(ChangeGemmTest, AnInfinityReachesTheResult) {
  auto weight = makeNormal(8 * 16, 1);
  std::vector<float> change(2 * 16, 0.0f), y(2 * 8, 1.0f);
  change[20] = INFINITY;
  addProduct({y.data(), 8}, {change.data(), 16}, *ByteWeight::create({weight.data(), 16}, 8, 16),
             {y.data(), 8}, 2);
  EXPECT_EQ(y[7], 1.0f);
  EXPECT_TRUE(std::isnan(y[8]));
}

TEST_F(ChangeGemmTest, BitsDoNotDependOnThreads) {
  int64_t m = 30, n = 200, k = 64;
  auto weight = makeNormal(n * k, 1), change = makeNormal(m * k, 2);
  std::vector<float> one(m * n, 0.0f), three = one;
  addProduct({one.data(), n}, {change.data(), k}, *ByteWeight::create({weight.data(), k}, n, k),
             {one.data(), n}, m);
  addProduct({three.data(), n}, {change.data(), k},
             *ByteWeight::create({weight.data(), k}, n, k, 3), {three.data(), n}, m, 3);
  EXPECT_EQ(one, three);
}
