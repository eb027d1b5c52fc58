//===- Knapsack.cpp - The multiple-choice knapsack, exactly ---------------===//

#include "ssmq/Assign/Knapsack.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <cmath>
#include <limits>
#include <tuple>

using namespace ssmq;

// Products of a weight and a cost.
using Wide = __int128;

std::vector<size_t> ssmq::getUndominated(llvm::ArrayRef<KnapsackOption> options) {
  auto order = llvm::to_vector(llvm::seq<size_t>(0, options.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::tie(options[a].weight, options[a].cost, a) <
           std::tie(options[b].weight, options[b].cost, b);
  });
  std::vector<size_t> kept;
  for (size_t next : order)
    if (kept.empty() || options[next].cost < options[kept.back()].cost)
      kept.push_back(next);
  return kept;
}

Knapsack::Knapsack(llvm::ArrayRef<std::vector<KnapsackOption>> all) {
  std::vector<std::vector<size_t>> kept;
  double total = 0;
  for (const std::vector<KnapsackOption> &options : all) {
    const std::vector<size_t> &indices = kept.emplace_back(getUndominated(options));
    smallest += options[indices.front()].weight;
    cheapest += options[indices.back()].cost;
    total += options[indices.front()].cost - options[indices.back()].cost;
  }
  if (total > 0)
    unit = std::max(std::exp2(std::ilogb(total) - 59), std::numeric_limits<double>::min());
  for (auto [options, indices] : llvm::zip_equal(all, kept)) {
    std::vector<Option> &group = groups.emplace_back();
    for (size_t index : indices) {
      const KnapsackOption &option = options[index];
      auto cost =
          static_cast<int64_t>(std::llround((option.cost - options[indices.back()].cost) / unit));
      if (group.empty() || cost < group.back().cost)
        group.push_back(
            {option.weight - options[indices.front()].weight, cost, static_cast<uint32_t>(index)});
    }
  }
}

std::vector<size_t> Knapsack::getOrder() const {
  auto order = llvm::to_vector(llvm::seq<size_t>(0, groups.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(groups[a].back().weight, a) < std::make_pair(groups[b].back().weight, b);
  });
  return {order.begin(), order.end()};
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// Merges two lists, each by rising weight and falling cost, into one of that kind.
template <typename Pair>
static void mergeUndominated(llvm::ArrayRef<Pair> a, llvm::ArrayRef<Pair> b,
                             std::vector<Pair> &merged) {
  merged.clear();
  int64_t best = std::numeric_limits<int64_t>::max();
  while (!a.empty() || !b.empty()) {
    bool takeA = b.empty() || (!a.empty() && std::tie(a.front().weight, a.front().cost) <=
                                                 std::tie(b.front().weight, b.front().cost));
    llvm::ArrayRef<Pair> &from = takeA ? a : b;
    if (from.front().cost < best) {
      merged.push_back(from.front());
      best = from.front().cost;
    }
    from = from.drop_front();
  }
}

std::vector<Knapsack::Pair> Knapsack::extend(llvm::ArrayRef<Pair> pairs,
                                             llvm::ArrayRef<Option> options, int64_t capacity) {
  std::vector<Pair> result, shifted, merged;
  for (const Option &option : options) {
    shifted.clear();
    for (auto [parent, pair] : llvm::enumerate(pairs)) {
      if (pair.weight + option.weight > capacity)
        break;
      shifted.push_back({pair.weight + option.weight, pair.cost + option.cost,
                         static_cast<uint32_t>(parent), option.index});
    }
    mergeUndominated<Pair>(result, shifted, merged);
    std::swap(result, merged);
  }
  return result;
}

std::vector<size_t> Knapsack::Front::getOptions(size_t point) const {
  std::vector<size_t> options(order.size());
  for (size_t level = order.size(); level > 0; --level) {
    const Pair &pair = lists[level][point];
    options[order[level - 1]] = pair.option;
    point = pair.parent;
  }
  return options;
}

std::optional<size_t> Knapsack::Front::find(int64_t capacity) const {
  size_t point =
      llvm::partition_point(lists.back(),
                            [&](const Pair &pair) { return base + pair.weight <= capacity; }) -
      lists.back().begin();
  return point ? std::optional<size_t>(point - 1) : std::nullopt;
}

std::optional<Knapsack::Front> Knapsack::computeFront(size_t maxPairs) const {
  Front front;
  front.base = smallest;
  // The lists stay short longest when the groups that spread them most come last.
  front.order = getOrder();
  size_t total = 1;
  for (size_t group : front.order) {
    if (front.lists.back().size() > maxPairs / groups[group].size())
      return std::nullopt;
    front.lists.push_back(
        extend(front.lists.back(), groups[group], std::numeric_limits<int64_t>::max()));
    total += front.lists.back().size();
    if (total > maxPairs)
      return std::nullopt;
  }
  return front;
}

//===----------------------------------------------------------------------===//
// One capacity
//===----------------------------------------------------------------------===//

class Knapsack::Relaxation {
public:
  explicit Relaxation(const Knapsack &problem) {
    for (auto [group, options] : llvm::enumerate(problem.groups))
      addHull(group, options);
    llvm::sort(steps, [](const Step &a, const Step &b) {
      Wide x = Wide(a.gain) * b.weight, y = Wide(b.gain) * a.weight;
      return x != y ? x > y : a.group < b.group;
    });
    update();
  }

  void remove(size_t group) {
    llvm::erase_if(steps, [&](const Step &step) { return step.group == group; });
    update();
  }

  struct Bounds {
    /// No choice costs less; taking the first `numSteps` steps costs `reached`.
    int64_t bound, reached;
    size_t numSteps;
  };
  Bounds get(int64_t rest) const {
    size_t taken =
        llvm::partition_point(weights, [&](int64_t w) { return w <= rest; }) - weights.begin();
    int64_t reached = largest - (taken ? gains[taken - 1] : 0);
    if (taken == steps.size())
      return {reached, reached, taken};
    int64_t left = rest - (taken ? weights[taken - 1] : 0);
    Wide gain = (Wide(steps[taken].gain) * left + steps[taken].weight - 1) / steps[taken].weight;
    return {reached - static_cast<int64_t>(gain), reached, taken};
  }

  /// What the groups take after so many steps; others are left alone.
  void apply(size_t numSteps, std::vector<size_t> &options) const {
    for (const Step &step : llvm::ArrayRef(steps).take_front(numSteps))
      options[step.group] = step.option;
  }

private:
  struct Step {
    size_t group;
    uint32_t option;
    int64_t weight, gain;
  };

  /// The steps from vertex to vertex of the lower convex hull: gains a weight fall.
  void addHull(size_t group, llvm::ArrayRef<Option> options) {
    size_t first = steps.size();
    auto isSteeper = [](const Step &a, const Step &b) {
      return Wide(a.gain) * b.weight >= Wide(b.gain) * a.weight;
    };
    for (auto [from, to] : llvm::zip(options, options.drop_front())) {
      Step step{group, to.index, to.weight - from.weight, from.cost - to.cost};
      while (steps.size() > first && isSteeper(step, steps.back())) {
        step.weight += steps.back().weight;
        step.gain += steps.back().gain;
        steps.pop_back();
      }
      steps.push_back(step);
    }
  }

  void update() {
    weights.clear();
    gains.clear();
    int64_t weight = 0, gain = 0;
    for (const Step &step : steps) {
      weights.push_back(weight += step.weight);
      gains.push_back(gain += step.gain);
    }
    largest = gain;
  }

  std::vector<Step> steps;
  /// Sums up to each step.
  std::vector<int64_t> weights, gains;
  /// The cost of no step at all.
  int64_t largest = 0;
};

std::optional<Knapsack::Solution> Knapsack::solve(int64_t capacity, size_t maxPairs) const {
  capacity -= smallest;
  if (capacity < 0)
    return std::nullopt;
  Front front;
  front.base = smallest;
  // The relaxation is nearest when the groups whose steps are the largest are decided.
  front.order = getOrder();
  std::reverse(front.order.begin(), front.order.end());
  Relaxation relaxation(*this);
  Relaxation::Bounds root = relaxation.get(capacity);
  int64_t known = root.reached;
  // Where the known solution leaves the lists, for the steps of the relaxation.
  struct Incumbent {
    size_t level = 0, pair = 0, numSteps = 0;
  } incumbent;
  incumbent.numSteps = root.numSteps;
  size_t total = 1;
  for (auto [level, group] : llvm::enumerate(front.order)) {
    std::vector<Pair> pairs = extend(front.lists.back(), groups[group], capacity);
    relaxation.remove(group);
    std::vector<Pair> kept;
    for (const Pair &pair : pairs) {
      Relaxation::Bounds bounds = relaxation.get(capacity - pair.weight);
      if (pair.cost + bounds.bound > known)
        continue;
      if (pair.cost + bounds.reached < known) {
        known = pair.cost + bounds.reached;
        incumbent = {level + 1, kept.size(), bounds.numSteps};
      }
      kept.push_back(pair);
    }
    total += kept.size();
    front.lists.push_back(std::move(kept));
    if (total > maxPairs)
      break;
  }
  Solution solution;
  solution.isOptimal = total <= maxPairs;
  if (solution.isOptimal) {
    size_t last = front.size() - 1;
    solution.options = front.getOptions(last);
    solution.weight = front.getWeight(last);
    solution.bound = cheapest + static_cast<double>(front.lists.back()[last].cost) * unit;
    return solution;
  }
  solution.bound = cheapest + static_cast<double>(root.bound) * unit;
  for (const std::vector<Option> &options : groups)
    solution.options.push_back(options.front().index);
  Relaxation again(*this);
  for (size_t group : llvm::ArrayRef(front.order).take_front(incumbent.level))
    again.remove(group);
  again.apply(incumbent.numSteps, solution.options);
  for (size_t level = incumbent.level, pair = incumbent.pair; level > 0; --level) {
    const Pair &at = front.lists[level][pair];
    solution.options[front.order[level - 1]] = at.option;
    pair = at.parent;
  }
  solution.weight = smallest;
  for (size_t group : llvm::seq(groups.size()))
    solution.weight += llvm::find_if(groups[group], [&](const Option &option) {
                         return option.index == solution.options[group];
                       })->weight;
  return solution;
}
