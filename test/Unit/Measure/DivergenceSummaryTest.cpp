//===- DivergenceSummaryTest.cpp - Means and errors over sequences --------===//

#include "ssmq/Measure/DivergenceSummary.h"

#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace ssmq;

namespace {

TEST(EstimateTest, RatioEstimatorAgainstItsFormula) {
  // Sums 2, 9, 4 over 1, 3, 2 positions: mean 2.5, residuals -0.5, 1.5, -1.
  const RatioTerm terms[] = {{2, 1}, {9, 3}, {4, 2}};
  Estimate result = estimateRatio(3, [&](size_t i) { return terms[i]; });
  EXPECT_DOUBLE_EQ(result.mean, 2.5);
  EXPECT_DOUBLE_EQ(result.standardError, std::sqrt(1.5 * (0.25 + 2.25 + 1)) / 6);
  EXPECT_TRUE(std::isnan(estimateRatio(1, [&](size_t i) { return terms[i]; }).standardError));
  EXPECT_TRUE(std::isnan(estimateRatio(0, [&](size_t i) { return terms[i]; }).mean));
}

TEST(EstimateTest, SummaryOfSequences) {
  DivergenceSums a, b;
  a.numScored = 2, a.forwardKL = 0.5, a.numSameTop1 = 1, a.squaredError = 4, a.squaredTeacher = 100;
  b.numScored = 4, b.forwardKL = 2.5, b.numSameTop1 = 3, b.squaredError = 6, b.squaredTeacher = 900;
  DivergenceSummary summary = summarize({a, b}, 10);
  EXPECT_EQ(summary.numSequences, 2);
  EXPECT_EQ(summary.numScored, 6);
  EXPECT_DOUBLE_EQ(summary.forwardKL.mean, 0.5);
  EXPECT_DOUBLE_EQ(summary.forwardKL.standardError, std::sqrt(2 * (0.25 + 0.25)) / 6);
  EXPECT_DOUBLE_EQ(summary.sameTop1.mean, 4.0 / 6);
  EXPECT_DOUBLE_EQ(summary.meanSquaredError.mean, 10.0 / 60);
  EXPECT_DOUBLE_EQ(summary.signalToNoise.mean, 20);
  // The noise ratio is 0.01; residuals 4 - 1 and 6 - 9.
  double ratioError = std::sqrt(2 * (9.0 + 9.0)) / 1000;
  EXPECT_NEAR(summary.signalToNoise.standardError, 10 / std::log(10) * ratioError / 0.01, 1e-12);
}

/// Losses of each sequence's positions: the teacher's and the student's.
using Losses = std::vector<std::vector<std::pair<double, double>>>;

Losses makeLosses() {
  std::mt19937 random(11);
  std::exponential_distribution<double> loss(0.4);
  std::normal_distribution<double> change(0.1, 0.6);
  Losses losses;
  for (int length : {3, 7, 5, 7, 2}) {
    auto &sequence = losses.emplace_back();
    while (length-- > 0) {
      double teacher = loss(random);
      sequence.emplace_back(teacher, teacher + change(random));
    }
  }
  return losses;
}

std::vector<DivergenceSums> getSums(const Losses &losses) {
  std::vector<DivergenceSums> result;
  for (const auto &sequence : losses) {
    DivergenceSums &sums = result.emplace_back();
    sums.squaredTeacher = sums.squaredError = 1;
    for (auto [teacher, student] : sequence) {
      double change = student - teacher, probability = std::exp(-student) - std::exp(-teacher);
      ++sums.numScored;
      sums.teacherCrossEntropy += teacher;
      sums.crossEntropyChange += change;
      sums.squaredTeacherCrossEntropy += teacher * teacher;
      sums.squaredCrossEntropyChange += change * change;
      sums.crossEntropyProduct += teacher * change;
      sums.probabilityChange += probability;
      sums.squaredProbabilityChange += probability * probability;
    }
  }
  return result;
}

/// The same statistics in long double, from all positions, each weighted with its sequence's
/// weight.
struct Plain {
  long double perplexity, teacherPerplexity, ratio, change, correlation, mean, rms;
};

Plain getPlain(const Losses &losses, llvm::ArrayRef<long double> weights) {
  long double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0, p = 0, pp = 0;
  for (size_t i = 0; i < losses.size(); ++i)
    for (auto [a, b] : losses[i]) {
      long double weight = weights[i],
                  change = std::exp((long double)-b) - std::exp((long double)-a);
      n += weight, x += weight * a, y += weight * b;
      xx += weight * a * a, xy += weight * a * b, yy += weight * b * b;
      p += weight * change, pp += weight * change * change;
    }
  x /= n, y /= n;
  long double covariance = xy / n - x * y;
  return {std::exp(y),
          std::exp(x),
          std::exp(y - x),
          std::exp(y) - std::exp(x),
          covariance / std::sqrt((xx / n - x * x) * (yy / n - y * y)),
          p / n,
          std::sqrt(pp / n)};
}

/// A sequence's share of a statistic is its derivative by the weight of the sequence.
TEST(DivergenceSummaryTest, AgainstPlainFormulasAndNumericDerivatives) {
  Losses losses = makeLosses();
  DivergenceSummary summary = summarize(getSums(losses), 10);
  std::vector<long double> ones(losses.size(), 1);
  Plain plain = getPlain(losses, ones);
  std::vector<Plain> up, down;
  const long double step = 1e-5L;
  for (size_t i = 0; i < losses.size(); ++i) {
    std::vector<long double> weights = ones;
    weights[i] += step;
    up.push_back(getPlain(losses, weights));
    weights[i] -= 2 * step;
    down.push_back(getPlain(losses, weights));
  }
  auto check = [&](const Estimate &estimate, long double Plain::*member) {
    EXPECT_NEAR(estimate.mean, double(plain.*member), 1e-13);
    long double squares = 0, count = losses.size();
    for (size_t i = 0; i < losses.size(); ++i)
      squares += std::pow((up[i].*member - down[i].*member) / (2 * step), 2);
    double error = std::sqrt(count / (count - 1) * squares);
    EXPECT_NEAR(estimate.standardError, error, 1e-8 * error);
  };
  check(summary.perplexity, &Plain::perplexity);
  check(summary.teacherPerplexity, &Plain::teacherPerplexity);
  check(summary.perplexityRatio, &Plain::ratio);
  check(summary.perplexityChange, &Plain::change);
  check(summary.crossEntropyCorrelation, &Plain::correlation);
  check(summary.probabilityChange, &Plain::mean);
  check(summary.rmsProbabilityChange, &Plain::rms);
}

TEST(DivergenceSummaryTest, NothingDiffers) {
  Losses losses = makeLosses();
  for (auto &sequence : losses)
    for (auto &[teacher, student] : sequence)
      student = teacher;
  std::vector<DivergenceSums> sums = getSums(losses);
  for (DivergenceSums &one : sums)
    one.squaredError = 0;
  DivergenceSummary summary = summarize(sums, 10);
  EXPECT_TRUE(std::isinf(summary.signalToNoise.mean));
  EXPECT_EQ(summary.perplexityChange.mean, 0);
  EXPECT_EQ(summary.perplexityChange.standardError, 0);
  EXPECT_EQ(summary.perplexityRatio.mean, 1);
  EXPECT_EQ(summary.crossEntropyCorrelation.mean, 1);
  EXPECT_NEAR(summary.crossEntropyCorrelation.standardError, 0, 1e-15);
  EXPECT_EQ(summary.rmsProbabilityChange.mean, 0);
  EXPECT_EQ(summary.rmsProbabilityChange.standardError, 0);
}

/// One sequence has no error; one position no correlation.
TEST(DivergenceSummaryTest, TooFewForAnError) {
  DivergenceSummary summary = summarize(getSums({{{1, 2}}}), 10);
  EXPECT_DOUBLE_EQ(summary.perplexityChange.mean, std::exp(2) - std::exp(1));
  for (const Estimate &one : {summary.perplexityChange, summary.perplexityRatio,
                              summary.rmsProbabilityChange, summary.crossEntropyCorrelation})
    EXPECT_TRUE(std::isnan(one.standardError));
  EXPECT_TRUE(std::isnan(summary.crossEntropyCorrelation.mean));
}

} // namespace
