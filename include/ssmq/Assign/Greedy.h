//===- Greedy.h - The least KL within a budget ------------------*- C++ -*-===//
//
// The multiple-choice knapsack problem, by the greedy rule for its linear relaxation (Sinha and
// Zoltners, Operations Research 27, 1979): each site starts at its smallest choice and climbs its
// lower convex hull of (bytes, cost); of all next steps the one with the largest gain a byte comes
// first, of equals that of the earlier site. A site whose next step does not fit stops climbing.
// Then what is left is spent on single upgrades, on or off the hull, largest gain first.
//
// At the first step that does not fit, the relaxation is solved: its value bounds every assignment
// from below, and the result lies above it by less than that step's gain.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_GREEDY_H
#define SSMQ_ASSIGN_GREEDY_H

#include "ssmq/Assign/Assignment.h"

namespace ssmq {

/// Minimises summed cost with at most `budget` bytes for the whole model. Fails when even the
/// smallest choices do not fit, saying what they need.
llvm::Expected<Assignment> assignGreedy(const AssignmentProblem &problem, int64_t budget);

/// Indices of the choices on the lower convex hull of (bytes, cost): bytes and gains a byte are
/// strictly monotone. The first is the smallest choice, the last the smallest of the best.
std::vector<size_t> getLowerHull(llvm::ArrayRef<Choice> choices);

} // namespace ssmq

#endif // SSMQ_ASSIGN_GREEDY_H
