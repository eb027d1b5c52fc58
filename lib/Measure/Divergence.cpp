//===- Divergence.cpp - How a student's logits differ ---------------------===//

#include "ssmq/Measure/Divergence.h"

#include "LogitRow.h"
#include "RowComparison.h"
#include "ssmq/Support/UnusableError.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace ssmq;
using llvm::createStringError;
using llvm::Expected;

llvm::ArrayRef<SumField> ssmq::getSumFields() {
  static constexpr SumField fields[] = {
      {"forwardKL", &DivergenceSums::forwardKL, false},
      {"reverseKL", &DivergenceSums::reverseKL, false},
      {"squaredError", &DivergenceSums::squaredError, false},
      {"squaredTeacher", &DivergenceSums::squaredTeacher, false},
      {"teacherCrossEntropy", &DivergenceSums::teacherCrossEntropy, false},
      {"crossEntropyChange", &DivergenceSums::crossEntropyChange, true},
      {"squaredTeacherCrossEntropy", &DivergenceSums::squaredTeacherCrossEntropy, false},
      {"squaredCrossEntropyChange", &DivergenceSums::squaredCrossEntropyChange, false},
      {"crossEntropyProduct", &DivergenceSums::crossEntropyProduct, true},
      {"probabilityChange", &DivergenceSums::probabilityChange, true},
      {"squaredProbabilityChange", &DivergenceSums::squaredProbabilityChange, false},
  };
  return fields;
}

llvm::ArrayRef<CountField> ssmq::getCountFields() {
  static constexpr CountField fields[] = {
      {"positions", &DivergenceSums::numScored},
      {"sameTop1", &DivergenceSums::numSameTop1},
      {"correct", &DivergenceSums::numCorrect},
      {"teacherCorrect", &DivergenceSums::numTeacherCorrect},
  };
  return fields;
}

DivergenceSums &DivergenceSums::operator+=(const DivergenceSums &other) {
  for (const CountField &field : getCountFields())
    this->*field.member += other.*field.member;
  for (const SumField &field : getSumFields())
    this->*field.member += other.*field.member;
  return *this;
}

bool DivergenceSums::operator==(const DivergenceSums &other) const {
  auto isSame = [&](auto &field) { return this->*field.member == other.*field.member; };
  return llvm::all_of(getCountFields(), isSame) && llvm::all_of(getSumFields(), isSame);
}

static void add(DivergenceSums &sums, const PositionDivergence &one) {
  double loss = one.teacherCrossEntropy, change = one.crossEntropyChange;
  ++sums.numScored;
  sums.numSameTop1 += one.sameTop1;
  sums.numCorrect += one.correct;
  sums.numTeacherCorrect += one.teacherCorrect;
  sums.forwardKL += one.forwardKL;
  sums.reverseKL += one.reverseKL;
  sums.squaredError += one.squaredError;
  sums.squaredTeacher += one.squaredTeacher;
  sums.teacherCrossEntropy += loss;
  sums.crossEntropyChange += change;
  sums.squaredTeacherCrossEntropy += loss * loss;
  sums.squaredCrossEntropyChange += change * change;
  sums.crossEntropyProduct += loss * change;
  sums.probabilityChange += one.probabilityChange;
  sums.squaredProbabilityChange += one.probabilityChange * one.probabilityChange;
}

static llvm::Error checkScored(const Tensor &logits, llvm::ArrayRef<int32_t> targets) {
  if (logits.getDType() != DType::F32 || logits.getRank() != 2 || logits.getDim(1) < 1 ||
      logits.getDim(1) > std::numeric_limits<int32_t>::max())
    return createStringError("logits must be f32 [positions, vocabulary]");
  if (static_cast<size_t>(logits.getDim(0)) != targets.size())
    return createStringError("%lld rows of logits for %zu targets",
                             static_cast<long long>(logits.getDim(0)), targets.size());
  for (int32_t target : targets)
    if (target < 0 || target >= logits.getDim(1))
      return createStringError("token %d is outside the vocabulary of %lld", target,
                               static_cast<long long>(logits.getDim(1)));
  return llvm::Error::success();
}

static llvm::Error makeNotFinite(size_t position) {
  return llvm::make_error<UnusableError>(
      llvm::formatv("a logit after token {0} is not finite", position).str());
}

static double getLogSumExp(const Peak &peak, double expSum) {
  return static_cast<double>(peak.largest) + std::log(expSum);
}

Expected<TargetSums> ssmq::sumTargets(const Tensor &logits, llvm::ArrayRef<int32_t> targets) {
  if (llvm::Error error = checkScored(logits, targets))
    return error;
  size_t vocab = logits.getDim(1);
  TargetSums sums;
  for (size_t i = 0; i < targets.size(); ++i) {
    llvm::ArrayRef<float> row = logits.data<float>().slice(i * vocab, vocab);
    Peak peak = findPeak(row);
    if (!peak.allFinite)
      return makeNotFinite(i);
    sums.crossEntropy += getLogSumExp(peak, sumExp(row, row, peak.largest).exp) - row[targets[i]];
    sums.numCorrect += peak.index == targets[i];
  }
  return sums;
}

Expected<TeacherLogits> TeacherLogits::create(Tensor logits, llvm::ArrayRef<int32_t> targets) {
  if (llvm::Error error = checkScored(logits, targets))
    return error;
  TeacherLogits teacher;
  teacher.rows.reserve(targets.size());
  size_t vocab = logits.getDim(1);
  for (size_t i = 0; i < targets.size(); ++i) {
    llvm::ArrayRef<float> row = logits.data<float>().slice(i * vocab, vocab);
    Peak peak = findPeak(row);
    if (!peak.allFinite)
      return makeNotFinite(i);
    double expSum = sumExp(row, row, peak.largest).exp;
    appendHeavyBlocks(row, peak.largest, expSum, teacher.heavyBlocks);
    teacher.rows.push_back({expSum, getLogSumExp(peak, expSum), sumSquares(row), peak.largest,
                            peak.smallest, peak.index, targets[i], teacher.heavyBlocks.size()});
  }
  teacher.logits = std::move(logits);
  return teacher;
}

double TeacherLogits::getCrossEntropy() const {
  double sum = 0;
  for (size_t i = 0; i < rows.size(); ++i)
    sum += rows[i].logSumExp - logits.data<float>()[i * getVocabSize() + rows[i].target];
  return sum;
}

namespace {
/// What the sums over a row say; the student's log-sum-exp is the teacher's less `change`.
struct RowDivergence {
  double forwardKL, reverseKL, squares, change;
  float largest;
};
} // namespace

/// For logits of any size, from both distributions in double.
static RowDivergence compareWide(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q, float largest,
                                 double logSumExp, const Peak &peak) {
  ExpSums pSums = sumExp(p, q, largest), qSums = sumExp(q, p, peak.largest);
  double change = logSumExp - getLogSumExp(peak, qSums.exp);
  return {pSums.weighted / pSums.exp - change, qSums.weighted / qSums.exp + change, pSums.squares,
          change, peak.largest};
}

/// The formulas of RowComparison.h.
static RowDivergence getDivergence(const RowComparison &sums, double expSum, float offset) {
  double m = sums.m / expSum, s = sums.s / expSum, t = sums.t / expSum;
  double logZ = std::log1p(m + s);
  return {logZ - m, (m + t) / (1 + m + s) - logZ, sums.squares, -(offset + logZ), sums.largest};
}

Expected<PositionDivergence> TeacherLogits::compareRow(size_t index,
                                                       llvm::ArrayRef<float> q) const {
  const Row &row = rows[index];
  llvm::ArrayRef<float> p = logits.data<float>().slice(index * q.size(), q.size());
  size_t heavyBegin = index == 0 ? 0 : rows[index - 1].heavyEnd;
  // Shifts the difference to zero at the likeliest token.
  float offset = q[row.top] - p[row.top];
  RowComparison sums =
      compareRows(p, q, row.largest, offset,
                  llvm::ArrayRef(heavyBlocks).slice(heavyBegin, row.heavyEnd - heavyBegin));
  RowDivergence found;
  // False for what is not finite.
  if (row.largest - row.smallest <= maxRowDifference &&
      sums.largest - row.smallest - offset <= maxRowDifference &&
      row.largest - sums.smallest + offset <= maxRowDifference && std::isfinite(sums.squares)) {
    found = getDivergence(sums, row.expSum, offset);
  } else {
    Peak peak = findPeak(q);
    if (!peak.allFinite)
      return makeNotFinite(index);
    found = compareWide(p, q, row.largest, row.logSumExp, peak);
  }
  PositionDivergence one;
  // KL is never negative, but its rounding can be.
  one.forwardKL = std::max(0.0, found.forwardKL);
  one.reverseKL = std::max(0.0, found.reverseKL);
  one.squaredError = found.squares;
  one.squaredTeacher = row.squares;
  one.teacherCrossEntropy = row.logSumExp - p[row.target];
  one.crossEntropyChange = (static_cast<double>(p[row.target]) - q[row.target]) - found.change;
  // From 0, which keeps an equal probability from changing by -0.
  one.probabilityChange =
      std::exp(-one.teacherCrossEntropy) * std::expm1(0 - one.crossEntropyChange);
  auto putsFirst = [&](int32_t token) {
    return q[token] == found.largest && !llvm::is_contained(q.take_front(token), found.largest);
  };
  one.sameTop1 = putsFirst(row.top);
  one.correct = row.target == row.top ? one.sameTop1 : putsFirst(row.target);
  one.teacherCorrect = row.target == row.top;
  return one;
}

Expected<DivergenceSums> TeacherLogits::compare(llvm::ArrayRef<float> student,
                                                int64_t first) const {
  return compare(student, first, [](const PositionDivergence &) {});
}

Expected<DivergenceSums>
TeacherLogits::compare(llvm::ArrayRef<float> student, int64_t first,
                       llvm::function_ref<void(const PositionDivergence &)> onPosition) const {
  size_t vocab = getVocabSize(), count = student.size() / vocab;
  if (student.size() % vocab != 0 || first < 0 || first > getNumPositions() ||
      count > static_cast<size_t>(getNumPositions() - first))
    return createStringError("%zu logits of the student from position %lld on do not fit the "
                             "teacher's %lld x %zu",
                             student.size(), static_cast<long long>(first),
                             static_cast<long long>(getNumPositions()), vocab);
  DivergenceSums sums;
  for (size_t i = 0; i < count; ++i) {
    Expected<PositionDivergence> one = compareRow(first + i, student.slice(i * vocab, vocab));
    if (!one)
      return one.takeError();
    add(sums, *one);
    onPosition(*one);
  }
  return sums;
}
