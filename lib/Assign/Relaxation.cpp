//===- Relaxation.cpp - Limits turned into prices -------------------------===//

#include "ssmq/Assign/Relaxation.h"

#include "ssmq/Assign/Knapsack.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <cmath>

using namespace ssmq;

static double getCost(const Choice &choice) { return std::max(0.0, choice.cost); }

bool ssmq::meets(const AssignmentProblem &problem, llvm::ArrayRef<Capacity> capacities,
                 llvm::ArrayRef<size_t> choices) {
  return llvm::all_of(capacities, [&](Capacity capacity) {
    int64_t use = 0, transient = problem.rest.transientBytes;
    for (auto [site, choice] : llvm::zip_equal(problem.sites, choices)) {
      use += getUse(site.choices[choice], capacity.resource);
      transient = std::max(transient, site.choices[choice].transientBytes);
    }
    // The capacity is without the largest activation that stays.
    if (capacity.resource == Resource::Memory)
      use += transient - problem.rest.transientBytes;
    return use <= capacity.amount;
  });
}

Relaxation::Relaxation(const AssignmentProblem &problem, llvm::ArrayRef<Capacity> given)
    : problem(problem), capacities(given.vec()), prices(given.size()) {
  for (Capacity capacity : capacities) {
    int64_t largest = 1, rest = capacity.amount;
    std::vector<int64_t> &leastOfSites = least.emplace_back();
    for (const SiteChoices &site : problem.sites) {
      auto uses = llvm::map_range(
          site.choices, [&](const Choice &one) { return getUse(one, capacity.resource); });
      leastOfSites.push_back(*llvm::min_element(uses));
      rest -= leastOfSites.back();
      largest = std::max(largest, *llvm::max_element(uses) - leastOfSites.back());
    }
    scales.push_back(static_cast<double>(largest));
    rests.push_back(static_cast<double>(rest) / scales.back());
  }
  for (const SiteChoices &site : problem.sites)
    for (const Choice &choice : site.choices)
      highest = std::max(highest, getCost(choice));
  constexpr double unit = 1e6; // a millionth of the largest difference costs as much as any choice
  highest *= unit;
  constexpr int rounds = 20;
  for (int round = 0; round < rounds; ++round)
    for (size_t resource : llvm::seq(capacities.size()))
      searchAlong(resource);
  bound = evaluate(prices).bound;
  stepAlongSubgradients();
}

double Relaxation::getUseAbove(size_t site, size_t choice, size_t resource) const {
  int64_t use = getUse(problem.sites[site].choices[choice], capacities[resource].resource);
  return static_cast<double>(use - least[resource][site]) / scales[resource];
}

double Relaxation::getPriced(size_t site, size_t choice, llvm::ArrayRef<double> at) const {
  double cost = getCost(problem.sites[site].choices[choice]);
  for (size_t i : llvm::seq(capacities.size()))
    cost += at[i] * getUseAbove(site, choice, i);
  return cost;
}

Relaxation::Value Relaxation::evaluate(llvm::ArrayRef<double> at) const {
  Value value;
  for (size_t i : llvm::seq(capacities.size())) {
    value.excess.push_back(-rests[i]);
    // Rounding errors are kept on the side where this stays a bound.
    constexpr double tolerance = 1e-12;
    value.bound -= at[i] * rests[i] * (1 + tolerance);
  }
  for (auto [index, site] : llvm::enumerate(problem.sites)) {
    size_t best = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (size_t k : llvm::seq(site.choices.size()))
      if (double priced = getPriced(index, k, at); priced < lowest) {
        lowest = priced;
        best = k;
      }
    value.bound += lowest;
    for (size_t i : llvm::seq(capacities.size()))
      value.excess[i] += getUseAbove(index, best, i);
  }
  return value;
}

void Relaxation::searchAlong(size_t resource) {
  std::vector<double> at = prices;
  // L is concave, and the excess is its slope.
  double low = 0, high = 1e-6;
  at[resource] = 0;
  if (evaluate(at).excess[resource] > 0) {
    for (; high < highest; high *= 4) {
      at[resource] = high;
      if (evaluate(at).excess[resource] <= 0)
        break;
      low = high;
    }
    constexpr int steps = 40;
    for (int step = 0; step < steps; ++step) {
      at[resource] = (low + high) / 2;
      (evaluate(at).excess[resource] > 0 ? low : high) = at[resource];
    }
    at[resource] = high;
  }
  prices = at;
}

void Relaxation::stepAlongSubgradients() {
  std::vector<double> at = prices;
  constexpr int steps = 300;
  for (int step = 0; step < steps; ++step) {
    Value value = evaluate(at);
    if (value.bound > bound) {
      bound = value.bound;
      prices = at;
    }
    for (size_t i : llvm::seq(at.size())) {
      // A few percent of the price at first, then less and less.
      double length = 0.05 * (prices[i] + 1e-9) / (1 + step / 10.0);
      at[i] = std::max(0.0, at[i] + (value.excess[i] > 0 ? length : -length));
    }
  }
}

double Relaxation::getReducedCost(size_t site, size_t choice) const {
  double least = std::numeric_limits<double>::infinity();
  for (size_t k : llvm::seq(problem.sites[site].choices.size()))
    least = std::min(least, getPriced(site, k, prices));
  return getPriced(site, choice, prices) - least;
}

std::optional<std::vector<size_t>> Relaxation::findFeasible() const {
  std::optional<std::vector<size_t>> best;
  double bestCost = std::numeric_limits<double>::infinity();
  for (size_t kept : llvm::seq(capacities.size()))
    for (double factor : {0.0, 0.9, 1.0, 1.001, 1.003, 1.01, 1.03, 1.1, 1.3, 2.0, 5.0, 100.0}) {
      std::vector<double> at = prices;
      for (double &price : at)
        price = factor * (price + 1e-9);
      at[kept] = 0;
      std::vector<std::vector<KnapsackOption>> groups;
      for (auto [index, site] : llvm::enumerate(problem.sites)) {
        std::vector<KnapsackOption> &group = groups.emplace_back();
        for (auto [k, choice] : llvm::enumerate(site.choices))
          group.push_back({getUse(choice, capacities[kept].resource), getPriced(index, k, at)});
      }
      auto solution = Knapsack(groups).solve(capacities[kept].amount);
      if (!solution || !meets(problem, capacities, solution->options))
        continue;
      double cost = 0;
      for (auto [site, choice] : llvm::zip_equal(problem.sites, solution->options))
        cost += getCost(site.choices[choice]);
      if (cost < bestCost) {
        bestCost = cost;
        best = std::move(solution->options);
      }
    }
  return best;
}
