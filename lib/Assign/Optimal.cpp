//===- Optimal.cpp - The least KL that there is ---------------------------===//

#include "ssmq/Assign/Optimal.h"

#include "ssmq/Assign/Greedy.h"
#include "ssmq/Assign/Knapsack.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static double getCost(const Choice &choice) { return std::max(0.0, choice.cost); }

static Knapsack makeKnapsack(const AssignmentProblem &problem, Resource resource) {
  std::vector<std::vector<KnapsackOption>> groups;
  for (const SiteChoices &site : problem.sites) {
    std::vector<KnapsackOption> &group = groups.emplace_back();
    for (const Choice &choice : site.choices)
      group.push_back({getUse(choice, resource), getCost(choice)});
  }
  return Knapsack(groups);
}

/// Each site's best choice, of equal ones the smallest.
static Assignment assignWithoutLimits(const AssignmentProblem &problem) {
  std::vector<size_t> chosen;
  for (const SiteChoices &site : problem.sites)
    chosen.push_back(llvm::min_element(site.choices,
                                       [](const Choice &a, const Choice &b) {
                                         return std::make_pair(getCost(a), a.bytes) <
                                                std::make_pair(getCost(b), b.bytes);
                                       }) -
                     site.choices.begin());
  Assignment result = makeAssignment(problem, chosen, "optimal");
  result.report.lowerBoundKL = result.report.predictedKL;
  return result;
}

/// Whether the largest activation depends on the choices, so that memory is no plain sum.
static bool hasTransients(const AssignmentProblem &problem) {
  return llvm::any_of(problem.sites, [](const SiteChoices &site) {
    return llvm::any_of(site.choices, [](const Choice &c) { return c.transientBytes > 0; });
  });
}

Expected<Assignment> ssmq::assignOptimal(const AssignmentProblem &given, const Limits &limits) {
  AssignmentProblem problem = given;
  if (Error error = checkProblem(problem))
    return error;
  if (limits.siteKL)
    if (Error error = applyCeiling(problem, *limits.siteKL))
      return error;
  Expected<std::vector<Capacity>> capacities = getCapacities(problem, limits);
  if (!capacities)
    return capacities.takeError();
  if (capacities->empty())
    return assignWithoutLimits(problem);
  if (Error error = checkLimits(problem, limits))
    return error;
  if (capacities->size() > 1 || (limits.memoryBytes && hasTransients(problem)))
    return assignByMilp(problem, limits);
  std::optional<Knapsack::Solution> solution =
      makeKnapsack(problem, capacities->front().resource).solve(capacities->front().amount);
  Assignment result = makeAssignment(problem, solution->options, "optimal");
  // Sums of the rounded costs differ in the last digits.
  result.report.lowerBoundKL = solution->isOptimal
                                   ? result.report.predictedKL
                                   : std::min(solution->bound, result.report.predictedKL);
  return result;
}

static ParetoPoint makePoint(const AssignmentProblem &problem, std::vector<size_t> choices) {
  Assignment assignment = makeAssignment(problem, choices, "optimal");
  return {assignment.report.totalBytes, assignment.report.bitsPerWeight,
          assignment.report.predictedKL, std::move(choices)};
}

/// The bytes at sites of the smallest assignment and of the smallest of the best ones, and what
/// lies between them evenly.
static std::vector<int64_t> spaceCapacities(const AssignmentProblem &problem, size_t count) {
  int64_t from = 0, to = 0;
  for (const SiteChoices &site : problem.sites) {
    std::vector<size_t> hull = getLowerHull(site.choices);
    from += site.choices[hull.front()].bytes;
    to += site.choices[hull.back()].bytes;
  }
  std::vector<int64_t> capacities = {from};
  for (size_t i : llvm::seq<size_t>(1, count - 1))
    capacities.push_back(
        from + static_cast<int64_t>(static_cast<double>(to - from) * static_cast<double>(i) /
                                    static_cast<double>(count - 1)));
  capacities.push_back(to);
  return capacities;
}

Expected<ParetoFront> ssmq::computeFront(const AssignmentProblem &problem, size_t maxPoints) {
  if (Error error = checkProblem(problem))
    return error;
  if (!problem.hasSizes)
    return makeError("the table has no sizes, which a front needs; take one that `ssmq measure` "
                     "wrote");
  Knapsack knapsack = makeKnapsack(problem, Resource::StoredBytes);
  std::optional<Knapsack::Front> front = knapsack.computeFront();
  ParetoFront result;
  if (front)
    result.numPoints = front->size();
  if (front && (maxPoints == 0 || front->size() <= maxPoints)) {
    for (size_t point : llvm::seq(front->size()))
      result.points.push_back(makePoint(problem, front->getOptions(point)));
    return result;
  }
  for (int64_t capacity : spaceCapacities(problem, std::max<size_t>(2, maxPoints))) {
    std::vector<size_t> choices;
    if (front) {
      choices = front->getOptions(*front->find(capacity));
    } else {
      std::optional<Knapsack::Solution> solution = knapsack.solve(capacity);
      if (!solution->isOptimal)
        return makeError("the front is too long to be solved; choose among fewer formats");
      choices = std::move(solution->options);
    }
    ParetoPoint point = makePoint(problem, std::move(choices));
    if (result.points.empty() || point.totalBytes > result.points.back().totalBytes)
      result.points.push_back(std::move(point));
  }
  return result;
}
