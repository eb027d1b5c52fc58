//===- Milp.cpp - Several limits at once ----------------------------------===//

#include "ssmq/Assign/Optimal.h"
#include "ssmq/Support/Error.h"

#ifdef SSMQ_HAVE_CBC
#include "MilpModel.h"
#include "ssmq/Assign/Relaxation.h"
#include "llvm/ADT/STLExtras.h"
#endif

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

#ifdef SSMQ_HAVE_CBC

bool ssmq::hasMilp() { return true; }

namespace {
/// A problem with fewer choices, and where they were.
struct Reduced {
  AssignmentProblem problem;
  std::vector<std::vector<size_t>> places;
};
} // namespace

/// Leaves out what is in no assignment that costs at most `known`.
static Reduced reduce(const AssignmentProblem &problem, const Relaxation &relaxation,
                      double known) {
  Reduced reduced{problem, {}};
  const double margin = known - relaxation.getBound() + 1e-9 * known;
  for (auto [index, site] : llvm::enumerate(reduced.problem.sites)) {
    std::vector<size_t> &places = reduced.places.emplace_back();
    std::vector<Choice> left;
    for (auto [k, choice] : llvm::enumerate(site.choices))
      if (relaxation.getReducedCost(index, k) <= margin) {
        places.push_back(k);
        left.push_back(std::move(choice));
      }
    site.choices = std::move(left);
  }
  return reduced;
}

static double addCosts(const AssignmentProblem &problem, llvm::ArrayRef<size_t> choices) {
  double cost = 0;
  for (auto [site, choice] : llvm::zip_equal(problem.sites, choices))
    cost += std::max(0.0, site.choices[choice].cost);
  return cost;
}

/// Null when nothing meets the limits.
static Expected<std::optional<MilpSolution>> solve(const AssignmentProblem &problem,
                                                   llvm::ArrayRef<Capacity> capacities) {
  Relaxation relaxation(problem, capacities);
  MilpSolution known;
  if (auto choices = relaxation.findFeasible()) {
    known.cost = addCosts(problem, *choices);
    known.choices = std::move(*choices);
  } else {
    Expected<std::optional<MilpSolution>> first = solveMilp(problem, capacities);
    if (!first || !*first)
      return first;
    known = std::move(**first);
  }
  Reduced reduced = reduce(problem, relaxation, known.cost);
  Expected<std::optional<MilpSolution>> better = solveMilp(reduced.problem, capacities);
  if (!better)
    return better;
  known.bound = known.cost;
  if (!*better || (*better)->cost > known.cost)
    return known;
  for (auto [choice, places] : llvm::zip_equal((*better)->choices, reduced.places))
    choice = places[choice];
  return better;
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
  auto solution = solve(problem, *capacities);
  if (!solution)
    return solution.takeError();
  if (!*solution)
    return makeError("the limits cannot be met together, though each can be alone; raise one");
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
