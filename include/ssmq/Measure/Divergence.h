//===- Divergence.h - How a student's logits differ -------------*- C++ -*-===//
//
// p is the teacher's distribution and q the student's, over the whole vocabulary, in nats. All is
// computed in log space from f32 logits with double arithmetic: the KL of a position is right to
// about 1e-14, so that an 8-bit weight's 1e-9 is a number and not noise.
//
// Logits are [positions, vocabulary]; the row after token i scores the true token i + 1, its
// target. With d = p's logit - q's logit and L the log-sum-exp of a row,
//   KL(p||q) = sum_v p_v d_v - (L_p - L_q),    KL(q||p) = (L_p - L_q) - sum_v q_v d_v,
// which needs one exponential an element for each direction and no normalised copy of either.
//
// Results are *sums* over positions: sums of shards, sequences or chunks add up to those of the
// whole, and means with errors are taken from them last (summarize). Nothing depends on threads.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_DIVERGENCE_H
#define SSMQ_MEASURE_DIVERGENCE_H

#include "ssmq/Measure/Estimate.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace ssmq {

/// Sums over scored positions.
struct DivergenceSums {
  int64_t numScored = 0;
  /// Positions where both put the same token first, the lowest of equals.
  int64_t numSameTop1 = 0;
  /// KL(p||q) and KL(q||p).
  double forwardKL = 0, reverseKL = 0;
  /// Over all logits: (teacher - student)^2 and teacher^2.
  double squaredError = 0, squaredTeacher = 0;
  /// On the targets: the teacher's, and the student's less the teacher's.
  double teacherCrossEntropy = 0, crossEntropyChange = 0;

  DivergenceSums &operator+=(const DivergenceSums &other);
  bool operator==(const DivergenceSums &other) const;
  bool operator!=(const DivergenceSums &other) const { return !(*this == other); }
};

/// Means over the scored positions, with errors over sequences.
struct DivergenceSummary {
  int64_t numSequences = 0, numScored = 0;
  Estimate forwardKL, reverseKL;
  /// Share of positions where both put the same token first.
  Estimate sameTop1;
  /// Of the teacher, and of the student less that of the teacher.
  Estimate teacherCrossEntropy, crossEntropyChange;
  /// Mean squared difference of a logit.
  Estimate meanSquaredError;
  /// 10 log10(sum teacher^2 / sum (teacher - student)^2) in decibels, infinite when nothing
  /// differs; its error by the delta method.
  Estimate signalToNoise;
};

/// One element a sequence.
DivergenceSummary summarize(llvm::ArrayRef<DivergenceSums> sequences, int64_t vocabSize);

/// The teacher's logits at the scored positions of a sequence, prepared once and compared with many
/// students. Shares the tensor's bytes; comparing is thread safe.
class TeacherLogits {
public:
  /// Takes f32 logits [positions, vocabulary] and a target for each position. Fails when shapes do
  /// not match, a target is outside the vocabulary or a logit is not finite.
  static llvm::Expected<TeacherLogits> create(Tensor logits, llvm::ArrayRef<int32_t> targets);

  int64_t getNumPositions() const { return rows.size(); }
  int64_t getVocabSize() const { return logits.getDim(1); }
  /// Summed over the targets.
  double getCrossEntropy() const;

  /// Compares the student's rows for the positions from `first` on. Fails when they do not fit or
  /// one is not finite.
  llvm::Expected<DivergenceSums> compare(llvm::ArrayRef<float> student, int64_t first = 0) const;

private:
  struct Row {
    double logSumExp, squares;
    float largest;
    int32_t top, target;
  };
  Tensor logits;
  std::vector<Row> rows;
};

/// Cross-entropy summed over the targets of logits [positions, vocabulary]; fails as
/// TeacherLogits::create does.
llvm::Expected<double> sumCrossEntropy(const Tensor &logits, llvm::ArrayRef<int32_t> targets);

} // namespace ssmq

#endif // SSMQ_MEASURE_DIVERGENCE_H
