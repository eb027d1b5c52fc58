//===- Distribution.h - Quantiles with their errors -------------*- C++ -*-===//
//
// Quantiles of what positions give, all sequences taken together: of n values in order, the one at
// level f lies at index f (n - 1), neighbours interpolated linearly (Hyndman and Fan, Sample
// quantiles in statistical packages, The American Statistician 50, 1996, definition 7; the same in
// NumPy and llama.cpp).
//
// Errors are the standard deviation over resamples of whole sequences with replacement, since
// tokens of one sequence depend on each other (Field and Welsh, Bootstrapping clustered data, JRSS
// B 69, 2007). The resamples are the same for the same number of sequences. No resample goes past
// the extremes of the data, so that errors of the largest and smallest value are too small.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_DISTRIBUTION_H
#define SSMQ_MEASURE_DISTRIBUTION_H

#include "ssmq/Measure/Estimate.h"
#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace ssmq {

struct Quantile {
  /// From 0, the smallest value, to 1.
  double level = 0;
  /// The mean is the quantile of the data; its error is NaN for one sequence.
  Estimate estimate;
};

/// The quantiles of all values of all sequences; NaN when there is none. Values are not NaN.
std::vector<Quantile> estimateQuantiles(llvm::ArrayRef<std::vector<double>> sequences,
                                        llvm::ArrayRef<double> levels, unsigned numResamples = 200);

/// The levels that llama-perplexity --kl-divergence prints, the highest first.
llvm::ArrayRef<double> getDivergenceLevels();
llvm::ArrayRef<double> getProbabilityChangeLevels();

} // namespace ssmq

#endif // SSMQ_MEASURE_DISTRIBUTION_H
