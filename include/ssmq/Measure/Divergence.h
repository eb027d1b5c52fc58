//===- Divergence.h - How a student's logits differ -------------*- C++ -*-===//
//
// p is the teacher's distribution and q the student's, over the whole vocabulary, in nats, computed
// from f32 logits. Every divergence is relatively right, however small (8 digits of a sequence's
// KL, 14 in a vocabulary of up to 4096), so that an 8-bit weight's 1e-9 is a number and not noise.
//
// Logits are [positions, vocabulary]; the row after token i scores the true token i + 1, its
// target. lib/Measure/RowComparison.h has the formulas, which take one exponential of each logit.
//
// Results are *sums* over positions: sums of shards, sequences or chunks add up to those of the
// whole, and means with errors are taken from them last (DivergenceSummary.h). Nothing depends on
// threads.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_DIVERGENCE_H
#define SSMQ_MEASURE_DIVERGENCE_H

#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace ssmq {

/// Sums over scored positions. The loss of a position is the cross-entropy of its target, and a
/// change is the student's value less the teacher's.
struct DivergenceSums {
  int64_t numScored = 0;
  /// Positions where both put the same token first, the lowest of equals.
  int64_t numSameTop1 = 0;
  /// Positions where the student, and where the teacher, puts the target first, so defined.
  int64_t numCorrect = 0, numTeacherCorrect = 0;
  /// KL(p||q) and KL(q||p).
  double forwardKL = 0, reverseKL = 0;
  /// Over all logits: (teacher - student)^2 and teacher^2.
  double squaredError = 0, squaredTeacher = 0;
  /// The teacher's loss and the loss's change.
  double teacherCrossEntropy = 0, crossEntropyChange = 0;
  /// Of these two, over positions: both squares and the product.
  double squaredTeacherCrossEntropy = 0, squaredCrossEntropyChange = 0, crossEntropyProduct = 0;
  /// The change of the target's probability, and its square.
  double probabilityChange = 0, squaredProbabilityChange = 0;

  DivergenceSums &operator+=(const DivergenceSums &other);
  bool operator==(const DivergenceSums &other) const;
  bool operator!=(const DivergenceSums &other) const { return !(*this == other); }
};

/// All sums and counts, with the names under which files hold them.
struct SumField {
  llvm::StringLiteral name;
  double DivergenceSums::*member;
  bool mayBeNegative;
};
struct CountField {
  llvm::StringLiteral name;
  int64_t DivergenceSums::*member;
};
llvm::ArrayRef<SumField> getSumFields();
llvm::ArrayRef<CountField> getCountFields();

/// What one position adds to the sums.
struct PositionDivergence {
  double forwardKL, reverseKL, squaredError, squaredTeacher;
  double teacherCrossEntropy, crossEntropyChange, probabilityChange;
  bool sameTop1, correct, teacherCorrect;
};

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
  /// The same, showing each position on the way.
  llvm::Expected<DivergenceSums>
  compare(llvm::ArrayRef<float> student, int64_t first,
          llvm::function_ref<void(const PositionDivergence &)> onPosition) const;

private:
  struct Row {
    double expSum, logSumExp, squares;
    float largest, smallest;
    int32_t top, target;
    /// Where its heavy blocks end; they begin where those of the row before end.
    size_t heavyEnd;
  };
  llvm::Expected<PositionDivergence> compareRow(size_t index, llvm::ArrayRef<float> q) const;

  Tensor logits;
  std::vector<Row> rows;
  std::vector<uint32_t> heavyBlocks;
};

/// Sums over the targets of logits [positions, vocabulary].
struct TargetSums {
  double crossEntropy = 0;
  /// Targets with the largest logit, the lowest of equals.
  int64_t numCorrect = 0;
};

/// Fails as TeacherLogits::create does.
llvm::Expected<TargetSums> sumTargets(const Tensor &logits, llvm::ArrayRef<int32_t> targets);

} // namespace ssmq

#endif // SSMQ_MEASURE_DIVERGENCE_H
