//===- Estimate.h - Means over sequences with their errors ------*- C++ -*-===//
//
// Tokens of one sequence depend on each other, so standard errors take sequences as the independent
// units: with K sequences, sums S_k over n_k units (positions, say), m = sum S / sum n,
//   se = sqrt(K / (K - 1) * sum (S_k - n_k m)^2) / sum n
// (the ratio estimator: Cochran, Sampling Techniques, 3rd ed., eq. 6.13). It is NaN for one
// sequence. A smooth function of means has the same error with S_k - n_k m replaced by the
// sequence's share of the function's linear change (the delta method).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_ESTIMATE_H
#define SSMQ_MEASURE_ESTIMATE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstddef>

namespace ssmq {

struct Estimate {
  double mean = 0, standardError = 0;
};

/// One sequence's share of a mean.
struct RatioTerm {
  double sum = 0, count = 0;
};

/// The mean over `numSequences` terms, added up in order. NaN when the counts add up to zero.
Estimate estimateRatio(size_t numSequences, llvm::function_ref<RatioTerm(size_t)> getTerm);

/// sqrt(K / (K - 1) * sum residual^2) / count; NaN for one sequence.
double getStandardError(size_t numSequences, double count,
                        llvm::function_ref<double(size_t)> getResidual);

} // namespace ssmq

#endif // SSMQ_MEASURE_ESTIMATE_H
