//===- DivergenceTest.cpp - Divergence of logits --------------------------===//

#include "ssmq/Measure/Divergence.h"

#include "../../../lib/Measure/RowComparison.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <random>

using namespace ssmq;

namespace {

Tensor makeLogits(int64_t positions, llvm::ArrayRef<float> values) {
  return Tensor::fromData<float>({positions, int64_t(values.size()) / positions}, values);
}

std::vector<float> makeRandom(size_t count, unsigned seed, float scale) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  return values;
}

std::vector<double> getLogSoftmax(llvm::ArrayRef<float> row) {
  double largest = *std::max_element(row.begin(), row.end()), sum = 0;
  for (float x : row)
    sum += std::exp(x - largest);
  std::vector<double> result;
  for (float x : row)
    result.push_back(x - largest - std::log(sum));
  return result;
}

/// The definitions, term by term.
DivergenceSums getReference(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q,
                            llvm::ArrayRef<int32_t> targets) {
  DivergenceSums sums;
  size_t vocab = p.size() / targets.size();
  for (size_t i = 0; i < targets.size(); ++i) {
    auto pRow = p.slice(i * vocab, vocab), qRow = q.slice(i * vocab, vocab);
    auto logP = getLogSoftmax(pRow), logQ = getLogSoftmax(qRow);
    for (size_t v = 0; v < vocab; ++v) {
      sums.forwardKL += std::exp(logP[v]) * (logP[v] - logQ[v]);
      sums.reverseKL += std::exp(logQ[v]) * (logQ[v] - logP[v]);
      sums.squaredError += std::pow(double(pRow[v]) - qRow[v], 2);
      sums.squaredTeacher += double(pRow[v]) * pRow[v];
    }
    double loss = -logP[targets[i]], change = logP[targets[i]] - logQ[targets[i]];
    double probabilityChange = std::exp(logQ[targets[i]]) - std::exp(logP[targets[i]]);
    sums.teacherCrossEntropy += loss;
    sums.crossEntropyChange += change;
    sums.squaredTeacherCrossEntropy += loss * loss;
    sums.squaredCrossEntropyChange += change * change;
    sums.crossEntropyProduct += loss * change;
    sums.probabilityChange += probabilityChange;
    sums.squaredProbabilityChange += probabilityChange * probabilityChange;
    sums.numSameTop1 += std::max_element(pRow.begin(), pRow.end()) - pRow.begin() ==
                        std::max_element(qRow.begin(), qRow.end()) - qRow.begin();
    ++sums.numScored;
  }
  return sums;
}

TEST(DivergenceTest, AgreesWithTheDefinitionsOnOddWidths) {
  for (int64_t vocab : {1, 2, 7, 8, 9, 64, 1001}) {
    for (float change : {1e-3f, 0.5f, 5.f}) {
      auto p = makeRandom(3 * vocab, vocab, 4), q = makeRandom(3 * vocab, vocab + 1, change);
      for (size_t i = 0; i < p.size(); ++i)
        q[i] += p[i];
      std::vector<int32_t> targets = {0, int32_t(vocab / 2), int32_t(vocab - 1)};
      auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(3, p), targets));
      DivergenceSums sums = llvm::cantFail(teacher.compare(q));
      DivergenceSums expected = getReference(p, q, targets);
      EXPECT_EQ(sums.numScored, 3);
      EXPECT_EQ(sums.numSameTop1, expected.numSameTop1);
      EXPECT_NEAR(sums.forwardKL, expected.forwardKL, 1e-13 * vocab);
      EXPECT_NEAR(sums.reverseKL, expected.reverseKL, 1e-13 * vocab);
      EXPECT_NEAR(sums.squaredError, expected.squaredError, 1e-12 * expected.squaredError);
      EXPECT_NEAR(sums.squaredTeacher, expected.squaredTeacher, 1e-12 * expected.squaredTeacher);
      EXPECT_NEAR(sums.teacherCrossEntropy, expected.teacherCrossEntropy, 1e-12);
      EXPECT_NEAR(sums.crossEntropyChange, expected.crossEntropyChange, 1e-12);
      for (auto member :
           {&DivergenceSums::squaredTeacherCrossEntropy, &DivergenceSums::squaredCrossEntropyChange,
            &DivergenceSums::crossEntropyProduct, &DivergenceSums::probabilityChange,
            &DivergenceSums::squaredProbabilityChange})
        EXPECT_NEAR(sums.*member, expected.*member, 1e-12 * (1 + std::abs(expected.*member)));
      EXPECT_NEAR(teacher.getCrossEntropy(), expected.teacherCrossEntropy, 1e-12);
      EXPECT_NEAR(llvm::cantFail(sumTargets(makeLogits(3, q), targets)).crossEntropy,
                  expected.teacherCrossEntropy + expected.crossEntropyChange, 1e-12);
    }
  }
}

/// Two tokens with odds 3:1 against 1:1.
TEST(DivergenceTest, ClosedForm) {
  float odds = std::log(3.f);
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(1, {odds, 0}), {0}));
  DivergenceSums sums = llvm::cantFail(teacher.compare({0, 0}));
  EXPECT_NEAR(sums.forwardKL, 0.75 * std::log(1.5) + 0.25 * std::log(0.5), 1e-7);
  EXPECT_NEAR(sums.reverseKL, 0.5 * std::log(0.5 / 0.75) + 0.5 * std::log(0.5 / 0.25), 1e-7);
  EXPECT_NEAR(sums.crossEntropyChange, std::log(0.75) - std::log(0.5), 1e-7);
  EXPECT_NEAR(sums.squaredError, double(odds) * odds, 1e-15);
}

/// KL(p||q) = variance of d under p / 2 to second order: the first-order terms must cancel far
/// below f32, or small perturbations read as noise.
TEST(DivergenceTest, ResolvesTinyPerturbations) {
  const size_t vocab = 4096;
  auto p = makeRandom(vocab, 1, 3), noise = makeRandom(vocab, 2, 1e-5f);
  std::vector<float> q(vocab);
  for (size_t i = 0; i < vocab; ++i)
    q[i] = p[i] + noise[i];
  auto logP = getLogSoftmax(p);
  long double mean = 0, variance = 0;
  for (size_t i = 0; i < vocab; ++i)
    mean += std::exp((long double)logP[i]) * (double(p[i]) - q[i]);
  for (size_t i = 0; i < vocab; ++i)
    variance += std::exp((long double)logP[i]) * std::pow(double(p[i]) - q[i] - mean, 2);
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(1, p), {0}));
  DivergenceSums sums = llvm::cantFail(teacher.compare(q));
  EXPECT_LT(double(variance / 2), 1e-10);
  // What is left is the third order.
  EXPECT_NEAR(sums.forwardKL, double(variance / 2), 3e-5 * double(variance / 2));
  EXPECT_NEAR(sums.reverseKL, double(variance / 2), 3e-5 * double(variance / 2));
}

/// KL(p||q) = log1p(m + s) - m in long double, which is right to 1e-15 and more.
std::pair<long double, long double> getExactKL(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q) {
  size_t top = std::max_element(p.begin(), p.end()) - p.begin();
  long double offset = (long double)q[top] - p[top], mass = 0, m = 0, s = 0, t = 0;
  for (size_t v = 0; v < p.size(); ++v) {
    long double weight = std::exp((long double)p[v] - p[top]);
    long double d = (long double)q[v] - p[v] - offset;
    mass += weight;
    m += weight * d;
    s += weight * (std::expm1(d) - d);
    t += weight * d * std::expm1(d);
  }
  long double logZ = std::log1p((m + s) / mass);
  return {logZ - m / mass, (m + t) / (mass + m + s) - logZ};
}

/// Large vocabularies are summed in float where the weights are small; see RowComparison.h. Flat
/// and peaked teachers, changes from those of 16-bit weights to those of 2 bits, with and without
/// one that all logits share.
TEST(DivergenceTest, LargeVocabularies) {
  const int64_t vocab = 20011, positions = 6;
  std::vector<int32_t> targets(positions, 7);
  for (float scale : {0.5f, 3.f})
    for (float change : {1e-5f, 1e-3f, 0.1f, 1.f, 4.f})
      for (float common : {0.f, 0.7f}) {
        if (common > 0 && change < 1e-3f)
          continue; // the logits themselves are no better than that
        auto p = makeRandom(positions * vocab, 1, scale);
        auto q = makeRandom(positions * vocab, 2, change);
        for (size_t i = 0; i < p.size(); ++i)
          q[i] += p[i] + common;
        auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(positions, p), targets));
        long double forward = 0, reverse = 0, worst = 0;
        size_t position = 0;
        DivergenceSums sums =
            llvm::cantFail(teacher.compare(q, 0, [&](const PositionDivergence &one) {
              size_t first = position++ * vocab;
              auto [exact, exactReverse] = getExactKL(llvm::ArrayRef(p).slice(first, vocab),
                                                      llvm::ArrayRef(q).slice(first, vocab));
              forward += exact;
              reverse += exactReverse;
              worst = std::max({worst, std::abs(one.forwardKL / exact - 1),
                                std::abs(one.reverseKL / exactReverse - 1)});
            }));
        std::string where = llvm::formatv("{0} {1} {2}", scale, change, common).str();
        // Errors average out where many tokens count, which is not so when they differ by e^4.
        double bound = common == 0 && change < 1 ? 1e-8 : 1e-7;
        EXPECT_LT(worst, 3e-7) << where;
        EXPECT_LT(std::abs(sums.forwardKL / forward - 1), bound) << where;
        EXPECT_LT(std::abs(sums.reverseKL / reverse - 1), bound) << where;
        auto expected = getReference(p, q, targets);
        EXPECT_NEAR(sums.squaredError, expected.squaredError, 1e-8 * expected.squaredError);
        EXPECT_NEAR(sums.crossEntropyChange, expected.crossEntropyChange,
                    1e-7 * positions * (common + change));
        EXPECT_EQ(sums.numSameTop1, expected.numSameTop1);
      }
}

TEST(DivergenceTest, TheSameBitsOnEachProcessor) {
  const size_t vocab = 50257;
  auto p = makeRandom(vocab, 1, 3), q = makeRandom(vocab, 2, 3);
  float peak = *std::max_element(p.begin(), p.end());
  std::vector<uint32_t> heavy;
  double expSum = 0;
  for (float x : p)
    expSum += std::exp(x - peak);
  appendHeavyBlocks(p, peak, expSum, heavy);
  EXPECT_GT(heavy.size(), 20u);
  EXPECT_LT(heavy.size(), 2000u);
  RowComparison a = compareRows(p, q, peak, 0.1f, heavy);
  RowComparison b = compareRowsAVX2(p, q, peak, 0.1f, heavy);
  for (auto member :
       {&RowComparison::m, &RowComparison::s, &RowComparison::t, &RowComparison::squares})
    EXPECT_EQ(a.*member, b.*member);
  EXPECT_EQ(a.largest, b.largest);
  EXPECT_EQ(a.smallest, b.smallest);
}

TEST(DivergenceTest, IdenticalLogitsGiveZero) {
  auto p = makeRandom(2 * 7777, 3, 6);
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(2, p), {5, 6}));
  DivergenceSums sums = llvm::cantFail(teacher.compare(p));
  EXPECT_EQ(sums.forwardKL, 0);
  EXPECT_EQ(sums.reverseKL, 0);
  EXPECT_EQ(sums.squaredError, 0);
  EXPECT_EQ(sums.crossEntropyChange, 0);
  EXPECT_EQ(sums.numSameTop1, 2);
  EXPECT_EQ(sums.probabilityChange, 0);
}

TEST(DivergenceTest, ExtremeLogitsStayFinite) {
  const float huge = std::numeric_limits<float>::max();
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(1, {huge, -huge, 0}), {0}));
  DivergenceSums sums = llvm::cantFail(teacher.compare({-huge, huge, 1e-45f}));
  for (double value : {sums.forwardKL, sums.reverseKL, sums.squaredError, sums.crossEntropyChange})
    EXPECT_TRUE(std::isfinite(value));
  EXPECT_NEAR(sums.forwardKL / huge, 2, 1e-12);
  EXPECT_EQ(sums.numSameTop1, 0);
}

/// One logit out of the range of float's exponential, in either row.
TEST(DivergenceTest, WideRowsOfLargeVocabularies) {
  const int64_t vocab = 5003;
  for (float outlier : {-300.f, -79.f, 90.f})
    for (bool inTeacher : {false, true}) {
      auto p = makeRandom(vocab, 8, 2), q = makeRandom(vocab, 9, 2);
      (inTeacher ? p : q)[777] = outlier;
      auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(1, p), {3}));
      DivergenceSums sums = llvm::cantFail(teacher.compare(q)), expected = getReference(p, q, {3});
      EXPECT_NEAR(sums.forwardKL, expected.forwardKL, 1e-7 * expected.forwardKL);
      EXPECT_NEAR(sums.reverseKL, expected.reverseKL, 1e-7 * expected.reverseKL);
      EXPECT_NEAR(sums.crossEntropyChange, expected.crossEntropyChange, 1e-6);
      EXPECT_EQ(sums.numSameTop1, expected.numSameTop1);
    }
}

TEST(DivergenceTest, TopIsTheLowestOfEquals) {
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(1, {0, 2, 2}), {0}));
  EXPECT_EQ(llvm::cantFail(teacher.compare({0, 2, 2})).numSameTop1, 1);
  EXPECT_EQ(llvm::cantFail(teacher.compare({0, 1, 2})).numSameTop1, 0);
}

TEST(DivergenceTest, ChunksAddUp) {
  const int64_t vocab = 33, positions = 5;
  auto p = makeRandom(positions * vocab, 4, 2), q = makeRandom(positions * vocab, 5, 2);
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(positions, p), {0, 1, 2, 3, 4}));
  DivergenceSums whole = llvm::cantFail(teacher.compare(q));
  DivergenceSums sum = llvm::cantFail(teacher.compare(llvm::ArrayRef(q).take_front(2 * vocab)));
  sum += llvm::cantFail(teacher.compare(llvm::ArrayRef(q).drop_front(2 * vocab), 2));
  EXPECT_EQ(sum.numScored, whole.numScored);
  EXPECT_EQ(sum.numSameTop1, whole.numSameTop1);
  EXPECT_NEAR(sum.forwardKL, whole.forwardKL, 1e-12);
  EXPECT_NEAR(sum.reverseKL, whole.reverseKL, 1e-12);
  EXPECT_NEAR(sum.squaredError, whole.squaredError, 1e-9);
  EXPECT_NEAR(sum.crossEntropyChange, whole.crossEntropyChange, 1e-12);
}

TEST(DivergenceTest, PositionsAddUp) {
  auto p = makeRandom(3 * 9, 6, 2), q = makeRandom(3 * 9, 7, 2);
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(3, p), {8, 0, 4}));
  std::vector<PositionDivergence> positions;
  DivergenceSums sums = llvm::cantFail(
      teacher.compare(llvm::ArrayRef(q).drop_front(9), 1,
                      [&](const PositionDivergence &one) { positions.push_back(one); }));
  ASSERT_EQ(positions.size(), 2u);
  auto expected = getReference(llvm::ArrayRef(p).take_back(9), llvm::ArrayRef(q).take_back(9), {4});
  EXPECT_NEAR(positions[1].forwardKL, expected.forwardKL, 1e-13);
  EXPECT_NEAR(positions[1].probabilityChange, expected.probabilityChange, 1e-13);
  EXPECT_EQ(positions[0].forwardKL + positions[1].forwardKL, sums.forwardKL);
  EXPECT_EQ(positions[0].probabilityChange + positions[1].probabilityChange,
            sums.probabilityChange);
}

TEST(DivergenceTest, Refusals) {
  auto message = [](auto expected) { return llvm::toString(expected.takeError()); };
  EXPECT_EQ(message(TeacherLogits::create(makeLogits(1, {0, NAN}), {0})),
            "a logit after token 0 is not finite");
  EXPECT_EQ(message(TeacherLogits::create(makeLogits(1, {0, 1}), {2})),
            "token 2 is outside the vocabulary of 2");
  EXPECT_EQ(message(TeacherLogits::create(makeLogits(2, {0, 1}), {0})),
            "2 rows of logits for 1 targets");
  EXPECT_EQ(message(TeacherLogits::create(Tensor::zeros(DType::F16, {1, 2}), {0})),
            "logits must be f32 [positions, vocabulary]");
  auto teacher = llvm::cantFail(TeacherLogits::create(makeLogits(2, {0, 1, 2, 3}), {0, 1}));
  EXPECT_EQ(message(teacher.compare({0, -INFINITY}, 1)), "a logit after token 1 is not finite");
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    auto p = makeRandom(5000, 1, 1), q = p;
    q[2500] = bad;
    auto large = llvm::cantFail(TeacherLogits::create(makeLogits(1, p), {0}));
    EXPECT_EQ(message(large.compare(q)), "a logit after token 0 is not finite");
  }
  EXPECT_EQ(message(teacher.compare({0, 1, 2, 3}, 1)),
            "4 logits of the student from position 1 on do not fit the teacher's 2 x 2");
  EXPECT_EQ(message(teacher.compare({0, 1, 2})),
            "3 logits of the student from position 0 on do not fit the teacher's 2 x 2");
}

} // namespace
