//===- ProgressTest.cpp - The progress line -------------------------------===//

#include "ssmq/Support/Progress.h"

#include "ssmq/Support/Parallel.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <atomic>

using namespace ssmq;

namespace {

/// Feeds steps of `units` that take `cost(index)` seconds each, from `first` seconds on; returns
/// the largest error of the time left, relative to the true one, from `judged` seconds on and until
/// the last ten.
template <typename Units, typename Cost>
double findWorstError(int steps, double first, double judged, Units units, Cost cost) {
  double total = 0, end = first;
  for (int i = 0; i < steps; ++i) {
    total += units(i);
    end += cost(i);
  }
  TimeEstimate estimate;
  double seconds = first, left = total, worst = 0;
  for (int i = 0; i < steps; ++i) {
    seconds += cost(i);
    left -= units(i);
    estimate.advance(units(i), seconds);
    if (seconds < judged || end - seconds < 10)
      continue;
    double trueLeft = end - seconds;
    worst = std::max(worst, std::abs(estimate.getSeconds(left).value_or(0) / trueLeft - 1));
  }
  return worst;
}

/// A sweep: for each sequence, candidates in program order, the late ones a tenth as dear.
double getSweepUnits(int step) { return 10 - 9 * (step % 200) / 199.0; }

TEST(TimeEstimateTest, StepsOfUnequalCost) {
  auto cost = [](int step) { return 0.05 * getSweepUnits(step); };
  EXPECT_LT(findWorstError(3000, 0, 60, getSweepUnits, cost), 0.01);
  // Steps as units, as the first version counted them: wrong by more than 20 %.
  EXPECT_GT(findWorstError(3000, 0, 60, [](int) { return 1; }, cost), 0.2);
}

TEST(TimeEstimateTest, NoisyCosts) {
  // Units miss the cost by half, in a pattern of five steps; one step in a hundred takes a second.
  auto cost = [](int step) {
    return 0.02 * getSweepUnits(step) * (0.5 + 0.25 * (step % 5)) + (step % 100 ? 0 : 1);
  };
  EXPECT_LT(findWorstError(8000, 0, 60, getSweepUnits, cost), 0.2);
}

TEST(TimeEstimateTest, ABeginningThatComesOnce) {
  EXPECT_LT(findWorstError(3000, 50, 60, getSweepUnits,
                           [](int step) { return 0.05 * getSweepUnits(step); }),
            0.01);
}

TEST(TimeEstimateTest, FollowsAMachineThatGetsSlower) {
  // Twice as slow from step 3000 on, which is 300 s; judged two minutes later.
  auto cost = [](int step) { return step < 3000 ? 0.1 : 0.2; };
  EXPECT_LT(findWorstError(8000, 0, 420, [](int) { return 1; }, cost), 0.2);
}

TEST(TimeEstimateTest, NothingIsKnownFromOneStep) {
  TimeEstimate estimate;
  EXPECT_FALSE(estimate.getSeconds(1));
  estimate.advance(5, 100);
  EXPECT_FALSE(estimate.getSeconds(1));
  estimate.advance(5, 101);
  EXPECT_NEAR(estimate.getSeconds(10).value_or(0), 2, 1e-12);
}

TEST(ProgressTest, Line) {
  EXPECT_EQ(formatProgress("sweep", 0.379, 74, 126.2), "sweep  37%  1:14 gone, 2:06 left");
  EXPECT_EQ(formatProgress("sweep", 0.75, 3723, 10000), "sweep  75%  1:02:03 gone, 2:46:40 left");
  EXPECT_EQ(formatProgress("sweep", 0, 0, std::nullopt), "sweep  0%  0:00 gone");
}

TEST(ProgressTest, SkippedWorkIsShownAndIsNotInTheRate) {
  std::string text;
  llvm::raw_string_ostream out(text);
  double seconds = 1000;
  {
    Progress progress("sweep", 1000, out, [&] { return seconds; });
    for (int i = 0; i < 20; ++i)
      progress.skip(10);
    for (int i = 0; i < 30; ++i) {
      seconds += 2;
      progress.advance(8);
      progress.skip(2);
    }
  }
  EXPECT_NE(text.find("sweep  1%  0:00 gone\r"), std::string::npos) << text;
  EXPECT_NE(text.find("sweep  49%  1:00 gone, 2:06 left\r"), std::string::npos) << text;
}

TEST(ProgressTest, ShowsTheLastStepAndCleansUp) {
  std::string text;
  llvm::raw_string_ostream out(text);
  std::atomic<int> calls{0};
  {
    // A clock that stands still draws only the first step and the last.
    Progress progress("sweep", 800, out, [&] { return ++calls, 5.0; });
    parallelFor(4, 800, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        progress.advance(1);
    });
  }
  EXPECT_EQ(text, "\r\033[Ksweep  0%  0:00 gone\r\033[Ksweep  100%  0:00 gone\r\033[K");
  EXPECT_EQ(calls, 801);
}

TEST(ProgressTest, NothingDrawnNothingCleaned) {
  std::string text;
  llvm::raw_string_ostream out(text);
  {
    Progress progress("sweep", 10, out, [] { return 0.0; });
  }
  EXPECT_EQ(text, "");
}

} // namespace
