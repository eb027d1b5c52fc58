//===- DivergenceSummary.h - Means of divergence with errors ----*- C++ -*-===//
//
// What sums over positions say about a student, each with its standard error over sequences
// (Estimate.h). Perplexities are exp of a mean cross-entropy; errors of what is no mean are by the
// delta method, from the sums of each sequence, so that the covariance of student and teacher
// counts: the error of a change is far below those of its two sides.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_DIVERGENCESUMMARY_H
#define SSMQ_MEASURE_DIVERGENCESUMMARY_H

#include "ssmq/Measure/Divergence.h"
#include "ssmq/Measure/Estimate.h"

namespace ssmq {

/// A change is the student's value less the teacher's.
struct DivergenceSummary {
  int64_t numSequences = 0, numScored = 0;
  Estimate forwardKL, reverseKL;
  /// Mean squared difference of a logit.
  Estimate meanSquaredError;
  /// 10 log10(sum teacher^2 / sum (teacher - student)^2) in decibels, infinite when nothing
  /// differs.
  Estimate signalToNoise;
  Estimate teacherCrossEntropy, crossEntropyChange;
  /// Of the student and of the teacher; their ratio, which is exp of crossEntropyChange, and
  /// change.
  Estimate perplexity, teacherPerplexity, perplexityRatio, perplexityChange;
  /// Pearson's, of the two cross-entropies of a position; NaN when one does not vary.
  Estimate crossEntropyCorrelation;
  /// Of the true token's probability: the mean, and the root of the mean square.
  Estimate probabilityChange, rmsProbabilityChange;
  /// Share of positions where both put the same token first.
  Estimate sameTop1;
  /// Share of positions whose target the student, and the teacher, puts first, and its change.
  Estimate accuracy, teacherAccuracy, accuracyChange;
};

/// One element a sequence.
DivergenceSummary summarize(llvm::ArrayRef<DivergenceSums> sequences, int64_t vocabSize);

/// A measurement with its factor in a sum.
struct WeightedSums {
  double factor = 1;
  llvm::ArrayRef<DivergenceSums> sequences;
};
/// The sum of KL(p||q) of several students of one teacher on the same sequences. Its error is
/// paired: what a sequence does to all of them alike cancels in a difference.
Estimate combineKL(llvm::ArrayRef<WeightedSums> terms);

} // namespace ssmq

#endif // SSMQ_MEASURE_DIVERGENCESUMMARY_H
