//===- Greedy.cpp - The least KL within a budget --------------------------===//

#include "ssmq/Assign/Greedy.h"

#include "ssmq/Assign/Budget.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <tuple>

using namespace ssmq;
using llvm::Expected;

static double getCost(const Choice &choice) { return std::max(0.0, choice.cost); }

static double getGainPerByte(const Choice &from, const Choice &to) {
  return (getCost(from) - getCost(to)) / static_cast<double>(to.bytes - from.bytes);
}

std::vector<size_t> ssmq::getLowerHull(llvm::ArrayRef<Choice> choices) {
  auto order = llvm::to_vector(llvm::seq<size_t>(0, choices.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_tuple(choices[a].bytes, getCost(choices[a]), a) <
           std::make_tuple(choices[b].bytes, getCost(choices[b]), b);
  });
  std::vector<size_t> hull;
  for (size_t next : order) {
    if (!hull.empty() && getCost(choices[next]) >= getCost(choices[hull.back()]))
      continue; // dominated: no smaller and no better
    // Gains a byte must fall along the hull; compared as they are used later, rounding included.
    while (hull.size() >= 2 &&
           getGainPerByte(choices[hull[hull.size() - 2]], choices[hull.back()]) <=
               getGainPerByte(choices[hull.back()], choices[next]))
      hull.pop_back();
    hull.push_back(next);
  }
  return hull;
}

namespace {
struct Step {
  double gainPerByte;
  size_t site, to;
};

/// What is chosen so far, and the bytes left.
struct Allocation {
  const AssignmentProblem &problem;
  std::vector<size_t> chosen;
  int64_t rest;

  const Choice &getChoice(size_t site) const { return problem.sites[site].choices[chosen[site]]; }
  double getTotalCost() const {
    double cost = 0;
    for (size_t site : llvm::seq(chosen.size()))
      cost += getCost(getChoice(site));
    return cost;
  }
  bool fits(size_t site, const Choice &choice) const {
    return choice.bytes - getChoice(site).bytes <= rest;
  }
  void take(size_t site, size_t choice) {
    rest -= problem.sites[site].choices[choice].bytes - getChoice(site).bytes;
    chosen[site] = choice;
  }
};
} // namespace

/// Returns the value of the relaxed problem.
static double climbHulls(Allocation &allocation, llvm::ArrayRef<Step> steps) {
  std::optional<double> relaxed;
  for (const Step &step : steps) {
    // Once a step does not fit, the later ones of its site do not either: they need still more.
    if (allocation.fits(step.site, allocation.problem.sites[step.site].choices[step.to]))
      allocation.take(step.site, step.to);
    else if (!relaxed)
      relaxed = allocation.getTotalCost() - step.gainPerByte * static_cast<double>(allocation.rest);
  }
  return relaxed.value_or(allocation.getTotalCost());
}

static void spendRest(Allocation &allocation) {
  while (true) {
    size_t bestSite = 0, bestChoice = 0;
    double bestGain = 0;
    for (auto [index, site] : llvm::enumerate(allocation.problem.sites))
      for (auto [k, choice] : llvm::enumerate(site.choices)) {
        double gain = getCost(allocation.getChoice(index)) - getCost(choice);
        if (gain <= bestGain || !allocation.fits(index, choice))
          continue;
        std::tie(bestGain, bestSite, bestChoice) = std::make_tuple(gain, index, k);
      }
    if (bestGain == 0)
      return;
    allocation.take(bestSite, bestChoice);
  }
}

Expected<Assignment> ssmq::assignGreedy(const AssignmentProblem &problem, int64_t budget) {
  if (llvm::Error error = checkProblem(problem))
    return error;
  Allocation allocation{problem, {}, budget};
  std::vector<Step> steps;
  int64_t smallest = problem.size.fixedBytes;
  for (auto [index, site] : llvm::enumerate(problem.sites)) {
    std::vector<size_t> hull = getLowerHull(site.choices);
    allocation.chosen.push_back(hull.front());
    smallest += site.choices[hull.front()].bytes;
    for (auto [from, to] : llvm::zip(hull, llvm::drop_begin(hull)))
      steps.push_back({getGainPerByte(site.choices[from], site.choices[to]), index, to});
  }
  if (llvm::Error error = checkReachable(budget, smallest, problem.size))
    return error;
  allocation.rest = budget - smallest;
  // Of equal gains a byte the earlier site comes first.
  llvm::sort(steps, [](const Step &a, const Step &b) {
    return std::make_tuple(-a.gainPerByte, a.site) < std::make_tuple(-b.gainPerByte, b.site);
  });
  double relaxed = climbHulls(allocation, steps);
  spendRest(allocation);
  Assignment result = makeAssignment(problem, allocation.chosen, "greedy");
  result.report.lowerBoundKL = std::max(0.0, relaxed);
  return result;
}
