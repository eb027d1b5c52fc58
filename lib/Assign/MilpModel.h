//===- MilpModel.h - A problem under limits as CBC takes it -----*- C++ -*-===//
//
// The binary x[s][k] is 1 when site s takes its k-th choice:
//
//   minimise    sum of cost x
//   such that   sum over k of x[s][k] = 1                              for each site s
//               sum of use x (+ largest, in memory) <= capacity        for each limit
//               sum over k of transient x[s][k] <= largest             for each activation s
//
// Costs and uses are differences from the least of the site, over the largest of all sites, so that
// coefficients are 0 to 1. CBC holds rows to a tolerance; what breaks a limit by it is forbidden
// and the program solved again, so a result meets its limits to the byte and the picosecond.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_ASSIGN_MILPMODEL_H
#define SSMQ_LIB_ASSIGN_MILPMODEL_H

#include "ssmq/Assign/Limits.h"

namespace ssmq {

struct MilpSolution {
  std::vector<size_t> choices;
  double cost = 0;
  /// Nothing costs less.
  double bound = 0;
};

/// Null when nothing meets the limits.
llvm::Expected<std::optional<MilpSolution>> solveMilp(const AssignmentProblem &problem,
                                                      llvm::ArrayRef<Capacity> capacities);

} // namespace ssmq

#endif // SSMQ_LIB_ASSIGN_MILPMODEL_H
