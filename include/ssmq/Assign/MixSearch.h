//===- MixSearch.h - Solve, measure, solve again ----------------*- C++ -*-===//
//
// The optimum of a table's sums is measured as a whole, beside every uniform choice that fits.
// Where the measurement and the sum differ by more than the error of the measurement, changes of
// the best mix are measured (MixModel.h), the problem is solved again with what they say, and a new
// mix is kept when it measures better by more than two standard errors of the difference. The
// result never measures worse than a uniform choice within the same limits.
//
// All of it is measured on the same sequences, so that differences are paired. They are calibration
// sequences, and the best of several measurements flatters itself a little: what a mix is worth on
// other text, other text must tell.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_MIXSEARCH_H
#define SSMQ_ASSIGN_MIXSEARCH_H

#include "ssmq/Assign/Assignment.h"
#include "ssmq/Assign/MixModel.h"

namespace ssmq {

struct NamedMix {
  std::string name;
  MixChoices choices;
};

/// Another choice at a site of a mix; none for full precision.
struct MixChange {
  size_t site = 0;
  std::optional<size_t> choice = std::nullopt;
};

/// How a search learns; all are called from one thread.
struct MixOracle {
  using Sums = std::vector<std::vector<DivergenceSums>>;
  /// For each mix one element a sequence.
  llvm::function_ref<llvm::Expected<Sums>(llvm::ArrayRef<MixChoices>)> measure;
  llvm::function_ref<llvm::Expected<Sums>(const MixChoices &base,
                                          llvm::ArrayRef<std::vector<MixChange>>)>
      measureChanges;
  /// The least sum of costs within the limits, as indices into the choices of the problem given.
  llvm::function_ref<llvm::Expected<MixChoices>(const AssignmentProblem &)> solve;
};

struct MixSearchOptions {
  /// How often to solve again.
  unsigned maxRounds = 2;
  /// Of the sites that cost most: so many are restored, tried in their next smaller and larger
  /// formats, and restored in pairs.
  unsigned numRestored = 64, numNeighbours = 12, numPaired = 8;
};

/// `uniform` are the mixes of one format that meet the limits. The assignment's report has the
/// measured KL and every mix on the way; its method begins with `method`, or names the uniform
/// choice and why.
llvm::Expected<Assignment> searchMix(const AssignmentProblem &problem,
                                     llvm::ArrayRef<NamedMix> uniform, const MixOracle &oracle,
                                     const MixSearchOptions &options, llvm::StringRef method);

} // namespace ssmq

#endif // SSMQ_ASSIGN_MIXSEARCH_H
