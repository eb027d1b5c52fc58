//===- DistributionTest.cpp - Quantiles and their errors ------------------===//

#include "ssmq/Measure/Distribution.h"

#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <random>

using namespace ssmq;

namespace {

using Sequences = std::vector<std::vector<double>>;

/// The definition, on a copy in order.
double getQuantile(std::vector<double> values, long double level) {
  std::sort(values.begin(), values.end());
  long double place = level * (values.size() - 1), index = std::floor(place);
  size_t low = size_t(index), high = std::min(low + 1, values.size() - 1);
  return values[low] + (place - index) * ((long double)values[high] - values[low]);
}

Sequences makeSequences(std::initializer_list<size_t> sizes, bool rounded) {
  std::mt19937 random(5);
  std::exponential_distribution<double> distribution;
  Sequences sequences;
  for (size_t size : sizes) {
    auto &sequence = sequences.emplace_back();
    while (size-- > 0) {
      double value = distribution(random);
      sequence.push_back(rounded ? std::floor(3 * value) : value);
    }
  }
  return sequences;
}

std::vector<double> join(const Sequences &sequences) {
  std::vector<double> all;
  for (const auto &one : sequences)
    all.insert(all.end(), one.begin(), one.end());
  return all;
}

TEST(DistributionTest, QuantilesAreTheInterpolatedOrderStatistics) {
  for (bool rounded : {false, true}) // with ties
    for (auto sizes : {std::initializer_list<size_t>{1}, {2}, {3, 1, 4}, {50, 0, 51}}) {
      Sequences sequences = makeSequences(sizes, rounded);
      for (auto levels : {getDivergenceLevels(), getProbabilityChangeLevels()}) {
        std::vector<Quantile> result = estimateQuantiles(sequences, levels);
        ASSERT_EQ(result.size(), levels.size());
        for (size_t i = 0; i < levels.size(); ++i) {
          EXPECT_EQ(result[i].level, levels[i]);
          EXPECT_NEAR(result[i].estimate.mean, getQuantile(join(sequences), levels[i]), 1e-13);
        }
      }
    }
}

/// Two sequences have three different resamples: both (with odds 1/2), or one of them twice.
TEST(DistributionTest, ErrorOfTwoSequences) {
  Sequences sequences = {{1, 2, 9, 4}, {3, 8}};
  const double levels[] = {0.75, 0.5, 0};
  std::vector<Quantile> result = estimateQuantiles(sequences, levels, 100000);
  for (const Quantile &one : result) {
    double both = getQuantile(join(sequences), one.level);
    double first = getQuantile(join({sequences[0], sequences[0]}), one.level);
    double second = getQuantile(join({sequences[1], sequences[1]}), one.level);
    double mean = both / 2 + first / 4 + second / 4;
    double variance = std::pow(both - mean, 2) / 2 + std::pow(first - mean, 2) / 4 +
                      std::pow(second - mean, 2) / 4;
    EXPECT_NEAR(one.estimate.standardError, std::sqrt(variance), 0.01 * std::sqrt(variance));
  }
}

/// For the median of n independent values the error is about 1 / (2 f sqrt(n)), f the density,
/// which the bootstrap knows to about n^(-1/4).
TEST(DistributionTest, ErrorOfManyIndependentValues) {
  Sequences values = makeSequences({4000}, false), sequences;
  for (double value : values[0])
    sequences.push_back({value});
  Quantile median = estimateQuantiles(sequences, 0.5, 1000)[0];
  EXPECT_NEAR(median.estimate.mean, std::log(2), 0.05);
  EXPECT_NEAR(median.estimate.standardError, 1 / std::sqrt(4000), 0.4 / std::sqrt(4000));
}

TEST(DistributionTest, TheSameEveryTime) {
  Sequences sequences = makeSequences({5, 9, 2, 7}, false);
  auto a = estimateQuantiles(sequences, getDivergenceLevels());
  auto b = estimateQuantiles(sequences, getDivergenceLevels());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(a[i].estimate.standardError, b[i].estimate.standardError);
}

TEST(DistributionTest, WhatHasNoError) {
  Quantile one = estimateQuantiles(Sequences{{1, 2, 3}}, 0.5)[0];
  EXPECT_EQ(one.estimate.mean, 2);
  EXPECT_TRUE(std::isnan(one.estimate.standardError));
  Quantile equal = estimateQuantiles(Sequences{{7, 7}, {7}}, 0.99)[0];
  EXPECT_EQ(equal.estimate.mean, 7);
  EXPECT_EQ(equal.estimate.standardError, 0);
  EXPECT_TRUE(std::isnan(estimateQuantiles({}, 0.5)[0].estimate.mean));
  EXPECT_TRUE(std::isnan(estimateQuantiles(Sequences{{}, {}}, 0.5)[0].estimate.mean));
}

} // namespace
