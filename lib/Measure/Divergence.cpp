//===- Divergence.cpp - How a student's logits differ ---------------------===//

#include "ssmq/Measure/Divergence.h"

#include "LogitRow.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace ssmq;
using llvm::createStringError;
using llvm::Expected;

DivergenceSums &DivergenceSums::operator+=(const DivergenceSums &other) {
  numScored += other.numScored;
  numSameTop1 += other.numSameTop1;
  forwardKL += other.forwardKL;
  reverseKL += other.reverseKL;
  squaredError += other.squaredError;
  squaredTeacher += other.squaredTeacher;
  teacherCrossEntropy += other.teacherCrossEntropy;
  crossEntropyChange += other.crossEntropyChange;
  return *this;
}

bool DivergenceSums::operator==(const DivergenceSums &other) const {
  return numScored == other.numScored && numSameTop1 == other.numSameTop1 &&
         forwardKL == other.forwardKL && reverseKL == other.reverseKL &&
         squaredError == other.squaredError && squaredTeacher == other.squaredTeacher &&
         teacherCrossEntropy == other.teacherCrossEntropy &&
         crossEntropyChange == other.crossEntropyChange;
}

static Estimate estimateSignalToNoise(llvm::ArrayRef<DivergenceSums> sequences) {
  Estimate noise = estimateRatio(sequences.size(), [&](size_t i) {
    return RatioTerm{sequences[i].squaredError, sequences[i].squaredTeacher};
  });
  // d(10 log10 x) = 10 / ln(10) dx / x
  return {-10 * std::log10(noise.mean), 10 / std::log(10.0) * noise.standardError / noise.mean};
}

DivergenceSummary ssmq::summarize(llvm::ArrayRef<DivergenceSums> sequences, int64_t vocabSize) {
  auto getMean = [&](double DivergenceSums::*sum, int64_t perPosition = 1) {
    return estimateRatio(sequences.size(), [&](size_t i) {
      return RatioTerm{sequences[i].*sum, static_cast<double>(sequences[i].numScored) *
                                              static_cast<double>(perPosition)};
    });
  };
  DivergenceSummary result;
  result.numSequences = sequences.size();
  for (const DivergenceSums &one : sequences)
    result.numScored += one.numScored;
  result.forwardKL = getMean(&DivergenceSums::forwardKL);
  result.reverseKL = getMean(&DivergenceSums::reverseKL);
  result.sameTop1 = estimateRatio(sequences.size(), [&](size_t i) {
    return RatioTerm{static_cast<double>(sequences[i].numSameTop1),
                     static_cast<double>(sequences[i].numScored)};
  });
  result.teacherCrossEntropy = getMean(&DivergenceSums::teacherCrossEntropy);
  result.crossEntropyChange = getMean(&DivergenceSums::crossEntropyChange);
  result.meanSquaredError = getMean(&DivergenceSums::squaredError, vocabSize);
  result.signalToNoise = estimateSignalToNoise(sequences);
  return result;
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
  return createStringError("a logit after token %zu is not finite", position);
}

static double getLogSumExp(const Peak &peak, double expSum) {
  return static_cast<double>(peak.largest) + std::log(expSum);
}

Expected<double> ssmq::sumCrossEntropy(const Tensor &logits, llvm::ArrayRef<int32_t> targets) {
  if (llvm::Error error = checkScored(logits, targets))
    return error;
  size_t vocab = logits.getDim(1);
  double sum = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    llvm::ArrayRef<float> row = logits.data<float>().slice(i * vocab, vocab);
    Peak peak = findPeak(row);
    if (!peak.allFinite)
      return makeNotFinite(i);
    sum += getLogSumExp(peak, sumExp(row, row, peak.largest).exp) - row[targets[i]];
  }
  return sum;
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
    teacher.rows.push_back({getLogSumExp(peak, sumExp(row, row, peak.largest).exp), sumSquares(row),
                            peak.largest, peak.index, targets[i]});
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

Expected<DivergenceSums> TeacherLogits::compare(llvm::ArrayRef<float> student,
                                                int64_t first) const {
  size_t vocab = getVocabSize(), count = student.size() / vocab;
  if (student.size() % vocab != 0 || first < 0 || first > getNumPositions() ||
      count > static_cast<size_t>(getNumPositions() - first))
    return createStringError("%zu logits of the student from position %lld on do not fit the "
                             "teacher's %lld x %zu",
                             student.size(), static_cast<long long>(first),
                             static_cast<long long>(getNumPositions()), vocab);
  DivergenceSums sums;
  for (size_t i = 0; i < count; ++i) {
    const Row &row = rows[first + i];
    llvm::ArrayRef<float> q = student.slice(i * vocab, vocab);
    llvm::ArrayRef<float> p = logits.data<float>().slice((first + i) * vocab, vocab);
    Peak peak = findPeak(q);
    if (!peak.allFinite)
      return makeNotFinite(first + i);
    ExpSums pSums = sumExp(p, q, row.largest), qSums = sumExp(q, p, peak.largest);
    double qLogSumExp = getLogSumExp(peak, qSums.exp), change = row.logSumExp - qLogSumExp;
    // KL is never negative, but its rounding can be.
    sums.forwardKL += std::max(0.0, pSums.weighted / pSums.exp - change);
    sums.reverseKL += std::max(0.0, qSums.weighted / qSums.exp + change);
    sums.squaredError += pSums.squares;
    sums.squaredTeacher += row.squares;
    sums.teacherCrossEntropy += row.logSumExp - p[row.target];
    sums.crossEntropyChange += (static_cast<double>(p[row.target]) - q[row.target]) - change;
    sums.numSameTop1 += peak.index == row.top;
  }
  sums.numScored = count;
  return sums;
}
