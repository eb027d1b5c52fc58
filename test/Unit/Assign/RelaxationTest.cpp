//===- RelaxationTest.cpp - Prices against all assignments ----------------===//

#include "ssmq/Assign/Relaxation.h"

#include "AssignTestUtils.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

TEST(RelaxationTest, BoundsAndReducedCosts) {
  int tight = 0, runs = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    AssignmentProblem problem = makeRandomProblem(seed);
    for (int64_t bytes : {40, 80}) {
      double optimum = getOptimum(problem, bytes);
      if (!std::isfinite(optimum))
        continue;
      Relaxation relaxation(problem, Capacity{Resource::StoredBytes, bytes});
      EXPECT_LE(relaxation.getBound(), optimum + 1e-9) << seed;
      ++runs;
      tight += relaxation.getBound() > optimum - 0.05;
      auto found = relaxation.findFeasible();
      ASSERT_TRUE(found) << seed;
      EXPECT_TRUE(meets(problem, Capacity{Resource::StoredBytes, bytes}, *found));
      // With a choice fixed nothing is better than its reduced cost says.
      for (size_t site = 0; site < problem.sites.size(); ++site)
        for (size_t k = 0; k < problem.sites[site].choices.size(); ++k) {
          AssignmentProblem fixed = problem;
          fixed.sites[site].choices = {problem.sites[site].choices[k]};
          EXPECT_LE(relaxation.getBound() + relaxation.getReducedCost(site, k),
                    getOptimum(fixed, bytes) + 1e-9)
              << seed;
        }
    }
  }
  EXPECT_GT(runs, 400);
  EXPECT_GT(tight, runs / 2);
}

} // namespace
