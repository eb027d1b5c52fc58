//===- AssignTestUtils.h - Small problems and their optimum -----*- C++ -*-===//

#ifndef SSMQ_TEST_UNIT_ASSIGN_ASSIGNTESTUTILS_H
#define SSMQ_TEST_UNIT_ASSIGN_ASSIGNTESTUTILS_H

#include "ssmq/Assign/Choices.h"
#include <algorithm>
#include <limits>
#include <random>

namespace ssmq::test {

/// Up to five sites of up to five choices: costs fall with bytes on the whole, but not always; some
/// are equal, some negative (noise).
inline AssignmentProblem makeRandomProblem(unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  AssignmentProblem problem;
  problem.size = {1000, 16};
  for (size_t i = 0, sites = 1 + random() % 5; i < sites; ++i) {
    SiteChoices site{"site" + std::to_string(i), {}};
    for (size_t k = 0, choices = 1 + random() % 5; k < choices; ++k) {
      int64_t bytes = 1 + random() % 40;
      double cost = uniform(random) * 4 / double(bytes) - (random() % 4 == 0 ? 0.1 : 0);
      site.choices.push_back({"f" + std::to_string(k), bytes, random() % 5 ? cost : 0.125});
    }
    problem.sites.push_back(site);
  }
  return problem;
}

inline double clamp(double cost) { return std::max(0.0, cost); }

/// The least cost of sites from `site` on within `rest` bytes; infinite when nothing fits.
inline double getOptimum(const AssignmentProblem &problem, int64_t rest, size_t site = 0) {
  if (rest < 0)
    return std::numeric_limits<double>::infinity();
  if (site == problem.sites.size())
    return 0;
  double best = std::numeric_limits<double>::infinity();
  for (const Choice &choice : problem.sites[site].choices)
    best = std::min(best, clamp(choice.cost) + getOptimum(problem, rest - choice.bytes, site + 1));
  return best;
}

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_ASSIGN_ASSIGNTESTUTILS_H
