//===- GreedyTest.cpp - Greedy against all assignments --------------------===//

#include "ssmq/Assign/Greedy.h"

#include "../Support/TempFolder.h"
#include "AssignTestUtils.h"
#include "ssmq/Assign/Budget.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

const Choice &getChosen(const AssignmentProblem &problem, const Assignment &result, size_t site) {
  EXPECT_EQ(result.sites[site].site, problem.sites[site].site);
  for (const Choice &choice : problem.sites[site].choices)
    if (choice.format == result.sites[site].format)
      return choice;
  ADD_FAILURE() << "no such choice";
  return problem.sites[site].choices.front();
}

double getLargestStep(const AssignmentProblem &problem) {
  double largest = 0;
  for (const SiteChoices &site : problem.sites) {
    auto hull = getLowerHull(site.choices);
    for (size_t k = 1; k < hull.size(); ++k)
      largest = std::max(largest,
                         clamp(site.choices[hull[k - 1]].cost) - clamp(site.choices[hull[k]].cost));
  }
  return largest;
}

TEST(GreedyTest, NearTheOptimumAndWithinTheBudget) {
  int exact = 0, runs = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    AssignmentProblem problem = makeRandomProblem(seed);
    for (int64_t budget : {20, 40, 60, 90, 130, 250}) {
      double optimum = getOptimum(problem, budget - problem.size.fixedBytes);
      auto result = assignGreedy(problem, budget);
      ASSERT_EQ(bool(result), std::isfinite(optimum)) << seed;
      if (!result) {
        llvm::consumeError(result.takeError());
        continue;
      }
      int64_t bytes = problem.size.fixedBytes;
      double cost = 0;
      ASSERT_EQ(result->sites.size(), problem.sites.size());
      for (size_t i = 0; i < problem.sites.size(); ++i) {
        bytes += getChosen(problem, *result, i).bytes;
        cost += clamp(getChosen(problem, *result, i).cost);
      }
      EXPECT_EQ(result->report.totalBytes, bytes);
      EXPECT_DOUBLE_EQ(result->report.predictedKL, cost);
      EXPECT_DOUBLE_EQ(result->report.bitsPerWeight, 8.0 * bytes / 1000);
      EXPECT_LE(bytes, budget);
      EXPECT_GE(cost, optimum - 1e-12);
      EXPECT_LE(cost, optimum + getLargestStep(problem) + 1e-12);
      EXPECT_LE(result->report.lowerBoundKL, optimum + 1e-12);
      EXPECT_GE(result->report.lowerBoundKL, cost - getLargestStep(problem) - 1e-12);
      // Nothing that fits is left.
      for (size_t i = 0; i < problem.sites.size(); ++i)
        for (const Choice &choice : problem.sites[i].choices)
          EXPECT_FALSE(clamp(choice.cost) < clamp(getChosen(problem, *result, i).cost) &&
                       bytes - getChosen(problem, *result, i).bytes + choice.bytes <= budget);
      ++runs;
      exact += cost <= optimum + 1e-12;
    }
  }
  EXPECT_GT(runs, 1000);
  EXPECT_GT(exact, runs * 8 / 10);
}

/// A point is on the hull when no mixture of two others is as small and as good.
TEST(GreedyTest, HullAgainstItsDefinition) {
  for (unsigned seed = 0; seed < 300; ++seed)
    for (const SiteChoices &site : makeRandomProblem(seed).sites) {
      const auto &choices = site.choices;
      auto hull = getLowerHull(choices);
      auto isBelow = [&](const Choice &at) { // some mixture of hull points weakly beats `at`
        for (size_t a : hull)
          for (size_t b : hull) {
            double from = choices[a].bytes, to = choices[b].bytes;
            double share = a == b ? 0 : std::clamp((at.bytes - from) / (to - from), 0.0, 1.0);
            if (from + share * (to - from) <= at.bytes + 1e-9 &&
                (1 - share) * clamp(choices[a].cost) + share * clamp(choices[b].cost) <=
                    clamp(at.cost) + 1e-12)
              return true;
          }
        return false;
      };
      for (const Choice &choice : choices)
        EXPECT_TRUE(isBelow(choice)) << seed;
      for (size_t k = 1; k < hull.size(); ++k) {
        EXPECT_LT(choices[hull[k - 1]].bytes, choices[hull[k]].bytes);
        EXPECT_GT(clamp(choices[hull[k - 1]].cost), clamp(choices[hull[k]].cost));
      }
      for (size_t k = 2; k < hull.size(); ++k) {
        auto slope = [&](size_t i) {
          const Choice &a = choices[hull[i - 1]], &b = choices[hull[i]];
          return (clamp(a.cost) - clamp(b.cost)) / double(b.bytes - a.bytes);
        };
        EXPECT_GT(slope(k - 1), slope(k));
      }
    }
}

AssignmentProblem makeProblem(std::vector<SiteChoices> sites) {
  AssignmentProblem problem;
  problem.size = {100, 10};
  problem.sites = std::move(sites);
  return problem;
}

TEST(GreedyTest, SkipsWhatIsOffTheHullUnlessItFillsTheRest) {
  // i4 is above the line from i2 to i8.
  auto problem = makeProblem({{"a", {{"i2", 10, 1.0}, {"i4", 20, 0.9}, {"i8", 40, 0.1}}}});
  EXPECT_EQ(llvm::cantFail(assignGreedy(problem, 50)).sites[0].format, "i8");
  EXPECT_EQ(llvm::cantFail(assignGreedy(problem, 49)).sites[0].format, "i4");
  EXPECT_EQ(llvm::cantFail(assignGreedy(problem, 29)).sites[0].format, "i2");
}

TEST(GreedyTest, EqualGainsGoToTheEarlierSite) {
  std::vector<Choice> choices = {{"i4", 10, 0.5}, {"i8", 20, 0.25}};
  auto problem = makeProblem({{"a", choices}, {"b", choices}, {"c", choices}});
  Assignment result = llvm::cantFail(assignGreedy(problem, 60));
  EXPECT_EQ(result.sites[0].format, "i8");
  EXPECT_EQ(result.sites[1].format, "i8");
  EXPECT_EQ(result.sites[2].format, "i4");
  EXPECT_EQ(result.report.lowerBoundKL, result.report.predictedKL);
}

TEST(GreedyTest, BudgetThatCannotBeMet) {
  auto problem = makeProblem({{"a", {{"i4", 20, 0.5}, {"i8", 40, 0.1}}}});
  expectMessage(getMessage(assignGreedy(problem, 29)),
                "the budget of 29 bytes (2.32 bits a weight) cannot be met: the smallest that the "
                "measured formats give is 30 bytes (2.40)");
  EXPECT_EQ(llvm::cantFail(assignGreedy(problem, 30)).report.totalBytes, 30);
}

TEST(GreedyTest, RefusesWhatIsNoProblem) {
  auto refuse = [](Choice choice, const char *message) {
    expectMessage(getMessage(assignGreedy(makeProblem({{"a", {choice}}}), 1000)), message);
  };
  refuse({"i4", 1, NAN}, "'a' as 'i4': 1 bytes at a cost of nan cannot be");
  refuse({"i4", -1, 0}, "-1 bytes");
  refuse({"i4", std::numeric_limits<int64_t>::max(), 0}, "cannot be");
  expectMessage(getMessage(assignGreedy(makeProblem({{"a", {}}}), 1)), "no format to choose from");
  expectMessage(getMessage(assignGreedy(makeProblem({}), 1)), "there are 0");
}

} // namespace
