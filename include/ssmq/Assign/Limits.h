//===- Limits.h - What an assignment may use --------------------*- C++ -*-===//
//
// Any set of limits may hold at once; all are of the whole model (Choices.h says what adds up).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_LIMITS_H
#define SSMQ_ASSIGN_LIMITS_H

#include "ssmq/Assign/Choices.h"

namespace ssmq {

struct Limits {
  std::optional<int64_t> storedBytes = std::nullopt, memoryBytes = std::nullopt;
  /// For one token.
  std::optional<double> decodeNanoseconds = std::nullopt, prefillNanoseconds = std::nullopt;
  /// Ceiling on the cost of any one site.
  std::optional<double> siteKL = std::nullopt;
};

enum class Resource { StoredBytes, Memory, DecodeTime, PrefillTime };

/// Whole numbers, so that sums are exact: bytes, or picoseconds, rounded up in what is used and
/// down in what may be.
int64_t getUse(const Choice &choice, Resource resource);

/// A limit, less what no choice changes.
struct Capacity {
  Resource resource;
  int64_t amount;
};
/// Of all limits but siteKL. Fails on one that the problem knows nothing about.
llvm::Expected<std::vector<Capacity>> getCapacities(const AssignmentProblem &problem,
                                                    const Limits &limits);

/// Fails when even the smallest choices do not meet a limit, and says the smallest that can be met
/// when there is no other.
llvm::Error checkLimits(const AssignmentProblem &problem, const Limits &limits);

/// Drops choices above the ceiling; fails when a site has no other, and says which ceiling it
/// needs.
llvm::Error applyCeiling(AssignmentProblem &problem, double siteKL);

} // namespace ssmq

#endif // SSMQ_ASSIGN_LIMITS_H
