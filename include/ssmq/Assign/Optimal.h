//===- Optimal.h - The least KL that there is -------------------*- C++ -*-===//
//
// Minimises summed cost (Choices.h) under limits, proven optimal: report.lowerBoundKL is
// report.predictedKL. One limit is a multiple-choice knapsack, solved here (Knapsack.h). Several
// are a mixed-integer program for CBC (https://github.com/coin-or/Cbc), which a build may lack:
// then it is an error that says so. Of assignments that cost the same, one that uses the least is
// given.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_OPTIMAL_H
#define SSMQ_ASSIGN_OPTIMAL_H

#include "ssmq/Assign/Assignment.h"
#include "ssmq/Assign/Limits.h"

namespace ssmq {

/// Fails when the limits cannot be met, and says the smallest that can. Without any limit each site
/// takes its best choice.
llvm::Expected<Assignment> assignOptimal(const AssignmentProblem &problem, const Limits &limits);

/// By CBC, whatever the number of limits.
llvm::Expected<Assignment> assignByMilp(const AssignmentProblem &problem, const Limits &limits);

/// Whether CBC is built in.
bool hasMilp();

struct ParetoPoint {
  int64_t totalBytes = 0;
  double bitsPerWeight = 0, predictedKL = 0;
  /// Of each site.
  std::vector<size_t> choices = {};
};

struct ParetoFront {
  /// From the smallest to the best; each is optimal for its size.
  std::vector<ParetoPoint> points;
  /// Of the whole front; unknown where it was too long to enumerate and `points` were solved for
  /// one by one.
  std::optional<size_t> numPoints = std::nullopt;
};

/// The assignments that no other beats in both stored bytes and summed cost. When there are more
/// than `maxPoints` (0 keeps all), those within evenly spaced budgets from the smallest to the
/// best.
llvm::Expected<ParetoFront> computeFront(const AssignmentProblem &problem, size_t maxPoints = 200);

} // namespace ssmq

#endif // SSMQ_ASSIGN_OPTIMAL_H
