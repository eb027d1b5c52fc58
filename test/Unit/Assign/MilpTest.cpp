//===- MilpTest.cpp - Several limits against all assignments --------------===//

#include "../Support/TempFolder.h"
#include "AssignTestUtils.h"
#include "ssmq/Assign/Optimal.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

class MilpTest : public testing::Test {
protected:
  void SetUp() override {
    if (!hasMilp())
      GTEST_SKIP() << "built without CBC";
  }
};

/// With times, states and activations, too.
AssignmentProblem makeProblem(unsigned seed) {
  AssignmentProblem problem = makeRandomProblem(seed);
  std::mt19937 random(seed + 1000);
  problem.hasTimes = true;
  problem.rest = {/*runtimeBytes=*/3, /*transientBytes=*/4, /*decodeNanoseconds=*/2.5, 1};
  for (SiteChoices &site : problem.sites) {
    bool isActivation = random() % 3 == 0;
    for (Choice &choice : site.choices) {
      choice.decodeNanoseconds = static_cast<double>(random() % 64) / 8;
      choice.runtimeBytes = static_cast<int64_t>(random() % 5);
      if (isActivation)
        choice.transientBytes = static_cast<int64_t>(random() % 20);
    }
  }
  return problem;
}

struct Totals {
  int64_t bytes, runtimeBytes, transientBytes;
  double decode, cost;
};

bool meets(const Totals &totals, const Limits &limits) {
  return totals.bytes <= limits.storedBytes.value_or(totals.bytes) &&
         totals.decode <= limits.decodeNanoseconds.value_or(totals.decode) &&
         (!limits.memoryBytes ||
          totals.bytes + totals.runtimeBytes + totals.transientBytes <= *limits.memoryBytes);
}

double getOptimum(const AssignmentProblem &problem, const Limits &limits, Totals sum,
                  size_t site = 0) {
  if (site == problem.sites.size())
    return meets(sum, limits) ? sum.cost : std::numeric_limits<double>::infinity();
  double best = std::numeric_limits<double>::infinity();
  for (const Choice &choice : problem.sites[site].choices)
    if (clamp(choice.cost) <= limits.siteKL.value_or(INFINITY))
      best = std::min(
          best, getOptimum(problem, limits,
                           {sum.bytes + choice.bytes, sum.runtimeBytes + choice.runtimeBytes,
                            std::max(sum.transientBytes, choice.transientBytes),
                            sum.decode + choice.decodeNanoseconds, sum.cost + clamp(choice.cost)},
                           site + 1));
  return best;
}

double getOptimum(const AssignmentProblem &problem, const Limits &limits) {
  return getOptimum(problem, limits,
                    {problem.size.fixedBytes, problem.rest.runtimeBytes,
                     problem.rest.transientBytes, problem.rest.decodeNanoseconds, 0});
}

TEST_F(MilpTest, SeveralLimitsAgainstAllAssignments) {
  int met = 0, missed = 0;
  for (unsigned seed = 0; seed < 250; ++seed) {
    AssignmentProblem problem = makeProblem(seed);
    const auto sites = static_cast<int64_t>(problem.sites.size());
    Limits limits;
    limits.storedBytes = 16 + 18 * sites;
    if (seed % 3 != 0)
      limits.decodeNanoseconds = 2.5 + 3.25 * static_cast<double>(sites);
    if (seed % 3 != 1)
      limits.memoryBytes = 16 + 7 + 19 * sites;
    if (seed % 4 == 0)
      limits.siteKL = 1;
    double optimum = getOptimum(problem, limits);
    auto result = assignOptimal(problem, limits);
    ASSERT_EQ(bool(result), std::isfinite(optimum)) << seed << " " << getMessage(std::move(result));
    if (!result) {
      llvm::consumeError(result.takeError());
      ++missed;
      continue;
    }
    ++met;
    EXPECT_NEAR(result->report.predictedKL, optimum, 1e-9) << seed;
    EXPECT_NEAR(result->report.lowerBoundKL, optimum, 1e-6) << seed;
    EXPECT_LE(result->report.totalBytes, *limits.storedBytes);
    EXPECT_LE(result->report.memoryBytes, limits.memoryBytes.value_or(1000000));
    EXPECT_LE(result->report.decodeNanoseconds, limits.decodeNanoseconds.value_or(INFINITY));
  }
  EXPECT_GT(met, 100);
  EXPECT_GT(missed, 20);
}

TEST_F(MilpTest, AgreesWithTheKnapsack) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    AssignmentProblem problem = makeRandomProblem(seed);
    Limits limits;
    for (int64_t bytes : {30, 60, 100}) {
      limits.storedBytes = bytes;
      auto knapsack = assignOptimal(problem, limits), milp = assignByMilp(problem, limits);
      ASSERT_EQ(bool(knapsack), bool(milp)) << seed;
      if (knapsack)
        EXPECT_NEAR(knapsack->report.predictedKL, milp->report.predictedKL, 1e-9) << seed;
      else {
        llvm::consumeError(knapsack.takeError());
        llvm::consumeError(milp.takeError());
      }
    }
  }
}

/// Costs of one site are a million times those of the others.
TEST_F(MilpTest, CostsOfAllSizes) {
  AssignmentProblem problem;
  problem.size = {100, 0};
  problem.sites = {{"head", {{"i2", 1, 25.0}, {"i8", 4, 0.0}}},
                   {"a", {{"i2", 1, 3e-7}, {"i4", 2, 2e-7}, {"i8", 3, 1e-7}}},
                   {"b", {{"i4", 1, 1e-9}, {"i8", 2, 0}}}};
  Limits limits;
  limits.storedBytes = 7;
  limits.memoryBytes = 8;
  EXPECT_NEAR(llvm::cantFail(assignOptimal(problem, limits)).report.predictedKL, 2.01e-7 - 1e-9 + 0,
              2e-9);
}

TEST_F(MilpTest, LimitsInConflict) {
  Choice small{"i4", 10, 0.5}, fast{"i8", 20, 0.1};
  small.decodeNanoseconds = 9;
  fast.decodeNanoseconds = 3;
  AssignmentProblem problem;
  problem.size = {100, 0};
  problem.sites = {{"a", {small, fast}}};
  problem.hasTimes = true;
  Limits limits;
  limits.storedBytes = 15;
  limits.decodeNanoseconds = 5;
  expectMessage(getMessage(assignOptimal(problem, limits)),
                "the limits cannot be met together, though each can be alone");
}

} // namespace
