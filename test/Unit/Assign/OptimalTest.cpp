//===- OptimalTest.cpp - The optimum against all assignments --------------===//

#include "ssmq/Assign/Optimal.h"

#include "../Support/TempFolder.h"
#include "AssignTestUtils.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

AssignmentProblem makeProblem(std::vector<SiteChoices> sites) {
  AssignmentProblem problem;
  problem.size = {100, 10};
  problem.sites = std::move(sites);
  return problem;
}

Limits makeBytes(int64_t bytes) {
  Limits limits;
  limits.storedBytes = bytes;
  return limits;
}

TEST(OptimalTest, BytesAgainstAllAssignments) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    AssignmentProblem problem = makeRandomProblem(seed);
    for (int64_t budget : {20, 40, 60, 90, 130, 250}) {
      double optimum = getOptimum(problem, budget - problem.size.fixedBytes);
      auto result = assignOptimal(problem, makeBytes(budget));
      ASSERT_EQ(bool(result), std::isfinite(optimum)) << seed;
      if (!result) {
        llvm::consumeError(result.takeError());
        continue;
      }
      EXPECT_LE(result->report.totalBytes, budget);
      EXPECT_NEAR(result->report.predictedKL, optimum, 1e-12);
      EXPECT_EQ(result->report.lowerBoundKL, result->report.predictedKL);
    }
  }
}

TEST(OptimalTest, FrontIsWhatBudgetsGive) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    AssignmentProblem problem = makeRandomProblem(seed);
    ParetoFront front = llvm::cantFail(computeFront(problem, /*maxPoints=*/0));
    ASSERT_EQ(front.numPoints, front.points.size());
    for (size_t i = 0; i < front.points.size(); ++i) {
      const ParetoPoint &point = front.points[i];
      EXPECT_NEAR(point.predictedKL,
                  getOptimum(problem, point.totalBytes - problem.size.fixedBytes), 1e-12);
      EXPECT_DOUBLE_EQ(point.bitsPerWeight, 8.0 * point.totalBytes / 1000);
      if (i > 0) {
        EXPECT_GT(point.totalBytes, front.points[i - 1].totalBytes);
        EXPECT_LT(point.predictedKL, front.points[i - 1].predictedKL);
        // Nothing lies between.
        Assignment before = llvm::cantFail(assignOptimal(problem, makeBytes(point.totalBytes - 1)));
        EXPECT_EQ(before.report.totalBytes, front.points[i - 1].totalBytes);
      }
    }
    for (size_t maxPoints : {1, 2, 5}) {
      ParetoFront thin = llvm::cantFail(computeFront(problem, maxPoints));
      EXPECT_EQ(thin.numPoints, front.points.size());
      EXPECT_LE(thin.points.size(), std::max<size_t>(2, maxPoints));
      EXPECT_EQ(thin.points.front().totalBytes, front.points.front().totalBytes);
      EXPECT_EQ(thin.points.back().totalBytes, front.points.back().totalBytes);
    }
  }
}

TEST(OptimalTest, BeatsGreedyWhereStepsDoNotFit) {
  // The best gain a byte blocks the better pair.
  auto problem = makeProblem({{"a", {{"i4", 10, 1.0}, {"i8", 21, 0.0}}},
                              {"b", {{"i4", 10, 0.9}, {"i8", 20, 0.0}}},
                              {"c", {{"i4", 10, 0.9}, {"i8", 20, 0.0}}}});
  Assignment result = llvm::cantFail(assignOptimal(problem, makeBytes(60)));
  EXPECT_EQ(result.find("a"), llvm::StringRef("i4"));
  EXPECT_EQ(result.report.predictedKL, 1.0);
}

TEST(OptimalTest, OtherResources) {
  Choice slow{"i4", 10, 0.5}, fast{"i8", 20, 0.6}, best{"keep", 40, 0};
  slow.decodeNanoseconds = 9;
  fast.decodeNanoseconds = 2.5;
  best.decodeNanoseconds = 12;
  slow.runtimeBytes = 100;
  AssignmentProblem problem = makeProblem({{"a", {slow, fast, best}}});
  problem.rest = {/*runtimeBytes=*/5, /*transientBytes=*/3, /*decodeNanoseconds=*/1, 0};
  Limits limits;
  EXPECT_EQ(llvm::cantFail(assignOptimal(problem, limits)).sites[0].format, "keep");
  limits.decodeNanoseconds = 10;
  expectMessage(getMessage(assignOptimal(problem, limits)),
                "a limit on time needs a cost table; `ssmq costs` writes one");
  problem.hasTimes = true;
  EXPECT_EQ(llvm::cantFail(assignOptimal(problem, limits)).sites[0].format, "i4");
  limits.decodeNanoseconds = 9.999;
  EXPECT_EQ(llvm::cantFail(assignOptimal(problem, limits)).sites[0].format, "i8");
  limits.decodeNanoseconds = 3.25;
  expectMessage(
      getMessage(assignOptimal(problem, limits)),
      "decoding a token in 0.000003 ms is too fast: the least of the measured formats is");
  limits = {};
  limits.memoryBytes = 10 + 40 + 8;
  EXPECT_EQ(llvm::cantFail(assignOptimal(problem, limits)).sites[0].format, "keep");
  limits.memoryBytes = 10 + 20 + 8;
  EXPECT_EQ(llvm::cantFail(assignOptimal(problem, limits)).sites[0].format, "i8");
  limits.memoryBytes = 37;
  expectMessage(
      getMessage(assignOptimal(problem, limits)),
      "37 bytes of memory are too few: the smallest that the measured formats need is 38");
  limits = {};
  limits.siteKL = 0.5;
  limits.storedBytes = 50;
  EXPECT_EQ(llvm::cantFail(assignOptimal(problem, limits)).sites[0].format, "keep");
  limits.storedBytes = 49;
  EXPECT_EQ(llvm::cantFail(assignOptimal(problem, limits)).sites[0].format, "i4");
  problem.sites[0].choices.pop_back();
  limits.siteKL = 0.25;
  expectMessage(getMessage(assignOptimal(problem, limits)),
                "no site may cost more than a KL of 2.50e-01, but 'a' costs 5.00e-01");
}

TEST(OptimalTest, Refusals) {
  auto problem = makeProblem({{"a", {{"i4", 20, 0.5}, {"i8", 40, 0.1}}}});
  expectMessage(getMessage(assignOptimal(problem, makeBytes(29))),
                "the budget of 29 bytes (2.32 bits a weight) cannot be met: the smallest that the "
                "measured formats give is 30 bytes (2.40)");
  problem.hasSizes = false;
  expectMessage(getMessage(assignOptimal(problem, makeBytes(30))), "the table has no sizes");
  expectMessage(getMessage(computeFront(problem)), "the table has no sizes");
  problem.sites[0].choices[0].cost = NAN;
  expectMessage(getMessage(assignOptimal(problem, {})), "cannot be");
}

} // namespace
