//===- Knapsack.h - The multiple-choice knapsack, exactly -------*- C++ -*-===//
//
// One option of each group; weights and costs add up; the least cost within a capacity. Solved by
// dynamic programming over lists of (weight, cost) that no other such pair dominates (Dyer, Riha
// and Walker, J. Comp. Appl. Math. 58, 1995), which in the end are the Pareto front for all
// capacities at once. For one capacity, pairs that cannot lead to the optimum are left out: those
// whose bound by the linear relaxation of the groups to come (Sinha and Zoltners, Operations
// Research 27, 1979) is worse than a solution that is known.
//
// Costs are rounded to whole multiples of a power of two, 2^-59 or less of the largest possible
// total, so that sums are exact and do not depend on their order; the result is optimal for these.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_KNAPSACK_H
#define SSMQ_ASSIGN_KNAPSACK_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace ssmq {

struct KnapsackOption {
  int64_t weight = 0;
  /// From 0 to 1e100.
  double cost = 0;
};

/// The options that no other dominates, by rising weight and falling cost; of equal ones the first.
std::vector<size_t> getUndominated(llvm::ArrayRef<KnapsackOption> options);

class Knapsack {
public:
  /// Groups have at least one option each; weights are at least 0 and the largest of all groups add
  /// up to less than 2^62.
  explicit Knapsack(llvm::ArrayRef<std::vector<KnapsackOption>> groups);

  int64_t getSmallestWeight() const { return smallest; }

  struct Solution {
    /// The option of each group.
    std::vector<size_t> options;
    int64_t weight = 0;
    /// False when the lists would have held more than `maxPairs`; then nothing costs less than
    /// `bound`.
    bool isOptimal = true;
    double bound = 0;
  };
  /// The least cost, and of equal costs the least weight; null when even the smallest options do
  /// not fit.
  std::optional<Solution> solve(int64_t capacity, size_t maxPairs = size_t(1) << 23) const;

  /// All pairs that none other dominates, with what they are made of.
  class Front {
  public:
    size_t size() const { return lists.back().size(); }
    /// Rises with the point, as the cost falls.
    int64_t getWeight(size_t point) const { return base + lists.back()[point].weight; }
    std::vector<size_t> getOptions(size_t point) const;
    /// The best within a capacity, if any fits.
    std::optional<size_t> find(int64_t capacity) const;

  private:
    friend class Knapsack;
    struct Pair {
      int64_t weight, cost;
      /// In the list before, and the option of the group that was added to it.
      uint32_t parent, option;
    };

    int64_t base = 0;
    /// After the first so many groups of `order`.
    std::vector<std::vector<Pair>> lists = {{{0, 0, 0, 0}}};
    std::vector<size_t> order;
  };
  /// Null when the lists would hold more than `maxPairs` together.
  std::optional<Front> computeFront(size_t maxPairs = size_t(1) << 24) const;

private:
  using Pair = Front::Pair;
  struct Option {
    int64_t weight, cost;
    /// As the caller counts.
    uint32_t index;
  };
  /// The linear relaxation of some of the groups.
  class Relaxation;

  static std::vector<Pair> extend(llvm::ArrayRef<Pair> pairs, llvm::ArrayRef<Option> options,
                                  int64_t capacity);
  /// Indices of groups, by the largest weight of their options.
  std::vector<size_t> getOrder() const;

  /// Of each group what no other dominates: the first weighs 0, the last costs 0.
  std::vector<std::vector<Option>> groups;
  /// What was taken off weights and costs for that.
  int64_t smallest = 0;
  double cheapest = 0;
  /// A cost of 1.
  double unit = 1;
};

} // namespace ssmq

#endif // SSMQ_ASSIGN_KNAPSACK_H
