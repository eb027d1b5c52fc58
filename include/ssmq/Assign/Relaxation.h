//===- Relaxation.h - Limits turned into prices -----------------*- C++ -*-===//
//
// The Lagrangian relaxation: limits are dropped and what they limit has a price,
//   L(p) = sum over sites of min over choices (cost + p . use) - p . capacity   <=   the optimum
// for all prices p >= 0 (Fisher, Management Science 27, 1981). The best prices are found by
// bisection along one price at a time, then by subgradient steps. With the cost of any assignment
// that meets the limits, they rule out most choices before a solver of integer programs begins: one
// whose reduced cost lifts L above it is in no better assignment.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_RELAXATION_H
#define SSMQ_ASSIGN_RELAXATION_H

#include "ssmq/Assign/Limits.h"

namespace ssmq {

class Relaxation {
public:
  /// Finds prices. Activations count nothing, which keeps L a bound.
  Relaxation(const AssignmentProblem &problem, llvm::ArrayRef<Capacity> capacities);

  /// No assignment within the limits costs less.
  double getBound() const { return bound; }
  /// How much more any assignment with this choice costs at the least than getBound().
  double getReducedCost(size_t site, size_t choice) const;

  /// An assignment within the limits, from knapsacks of one limit with prices on the others; null
  /// when none is found, which does not say that there is none.
  std::optional<std::vector<size_t>> findFeasible() const;

private:
  struct Value {
    double bound = 0;
    /// What is used above each capacity, in units of scales.
    std::vector<double> excess;
  };
  Value evaluate(llvm::ArrayRef<double> prices) const;
  double getPriced(size_t site, size_t choice, llvm::ArrayRef<double> prices) const;
  /// Moves one price to where L is largest along it.
  void searchAlong(size_t resource);
  void stepAlongSubgradients();

  /// In units of scales.
  double getUseAbove(size_t site, size_t choice, size_t resource) const;

  const AssignmentProblem &problem;
  std::vector<Capacity> capacities;
  /// The least use of each site, by limit.
  std::vector<std::vector<int64_t>> least;
  /// By limit: the largest difference of uses at one site, what the least uses leave of the
  /// capacity in units of that, and the price of such a unit.
  std::vector<double> scales, rests, prices;
  /// No price is above it.
  double highest = 0;
  double bound = 0;
};

/// Whether an assignment meets the limits.
bool meets(const AssignmentProblem &problem, llvm::ArrayRef<Capacity> capacities,
           llvm::ArrayRef<size_t> choices);

} // namespace ssmq

#endif // SSMQ_ASSIGN_RELAXATION_H
