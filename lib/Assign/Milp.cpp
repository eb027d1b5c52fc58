//===- Milp.cpp - Several limits at once ----------------------------------===//

#include "ssmq/Assign/Optimal.h"
#include "ssmq/Support/Error.h"

#ifdef SSMQ_HAVE_CBC
#include "MilpModel.h"
#endif

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

#ifdef SSMQ_HAVE_CBC

bool ssmq::hasMilp() { return true; }

/// Nothing meets all limits, though each alone can be met.
static Error makeConflict() {
  return makeError("the limits cannot be met together, though each can be alone; raise one");
}

Expected<Assignment> ssmq::assignByMilp(const AssignmentProblem &given, const Limits &limits) {
  AssignmentProblem problem = given;
  if (Error error = checkProblem(problem))
    return error;
  if (limits.siteKL)
    if (Error error = applyCeiling(problem, *limits.siteKL))
      return error;
  if (Error error = checkLimits(problem, limits))
    return error;
  Expected<std::vector<Capacity>> capacities = getCapacities(problem, limits);
  if (!capacities)
    return capacities.takeError();
  double excess = std::numeric_limits<double>::infinity();
  auto solution = solveMilp(problem, *capacities, excess);
  if (!solution)
    return solution.takeError();
  if (!*solution)
    return makeConflict();
  // No site costs more in a better solution than all sites do in this one: once more on the scale
  // of what is left, where the tolerances of the first time are large.
  double least = 0, largest = 0;
  for (const SiteChoices &site : problem.sites) {
    auto [best, worst] =
        std::minmax_element(site.choices.begin(), site.choices.end(),
                            [](const Choice &a, const Choice &b) { return a.cost < b.cost; });
    least += std::max(0.0, best->cost);
    largest = std::max(largest, worst->cost - std::max(0.0, best->cost));
  }
  excess = (*solution)->cost - least;
  if (excess > 0 && excess < largest / 2) {
    auto finer = solveMilp(problem, *capacities, excess);
    if (!finer)
      return finer.takeError();
    if (*finer && (*finer)->cost <= (*solution)->cost)
      solution = std::move(finer);
  }
  Assignment result = makeAssignment(problem, (*solution)->choices, "optimal");
  // What CBC proves holds to its tolerance.
  const double bound = (*solution)->bound, cost = result.report.predictedKL;
  result.report.lowerBoundKL = bound > cost * (1 - 1e-6) ? cost : std::max(0.0, bound);
  return result;
}

#else

bool ssmq::hasMilp() { return false; }

Expected<Assignment> ssmq::assignByMilp(const AssignmentProblem &, const Limits &) {
  return makeError("several limits at once need CBC, which this build lacks; install "
                   "coinor-libcbc-dev and build again, or give one limit");
}

#endif
