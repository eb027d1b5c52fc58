//===- DivergenceSummary.cpp - Means of divergence with errors ------------===//

#include "ssmq/Measure/DivergenceSummary.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace ssmq;

using Sequences = llvm::ArrayRef<DivergenceSums>;

static Estimate estimateMean(Sequences sequences, double DivergenceSums::*sum,
                             int64_t perPosition = 1) {
  return estimateRatio(sequences.size(), [&](size_t i) {
    return RatioTerm{sequences[i].*sum, static_cast<double>(sequences[i].numScored) *
                                            static_cast<double>(perPosition)};
  });
}

static Estimate estimateSignalToNoise(Sequences sequences) {
  Estimate noise = estimateRatio(sequences.size(), [&](size_t i) {
    return RatioTerm{sequences[i].squaredError, sequences[i].squaredTeacher};
  });
  // d(10 log10 x) = 10 / ln(10) dx / x
  return {-10 * std::log10(noise.mean), 10 / std::log(10.0) * noise.standardError / noise.mean};
}

static Estimate getRoot(const Estimate &square) {
  double root = std::sqrt(square.mean);
  return {root, root > 0 ? square.standardError / (2 * root) : square.standardError};
}

static Estimate getExp(const Estimate &log) {
  double value = std::exp(log.mean);
  return {value, value * log.standardError};
}

/// exp(a + c) - exp(a) for the means a and c of the teacher's loss and its change.
static Estimate estimatePerplexityChange(Sequences sequences, const DivergenceSummary &known) {
  double a = known.teacherCrossEntropy.mean, c = known.crossEntropyChange.mean;
  double perplexity = std::exp(a), growth = std::expm1(c);
  double error = getStandardError(sequences.size(), known.numScored, [&](size_t i) {
    const DivergenceSums &one = sequences[i];
    double count = one.numScored;
    return perplexity * (growth * (one.teacherCrossEntropy - count * a) +
                         (1 + growth) * (one.crossEntropyChange - count * c));
  });
  return {perplexity * growth, error};
}

namespace {
/// Second moments of the teacher's loss x and the student's y around two means.
struct Moments {
  double xx, xy, yy;
};
} // namespace

/// The student's loss is x + c: what x and its change c say about y is free of cancellation.
static Moments getMoments(const DivergenceSums &sums, double meanX, double meanChange) {
  double count = sums.numScored;
  double xx = sums.squaredTeacherCrossEntropy - 2 * meanX * sums.teacherCrossEntropy +
              count * meanX * meanX;
  double xc = sums.crossEntropyProduct - meanX * sums.crossEntropyChange -
              meanChange * sums.teacherCrossEntropy + count * meanX * meanChange;
  double cc = sums.squaredCrossEntropyChange - 2 * meanChange * sums.crossEntropyChange +
              count * meanChange * meanChange;
  return {xx, xx + xc, xx + 2 * xc + cc};
}

/// r = Sxy / sqrt(Sxx Syy). With u and v the standardised losses, a position moves r by
/// (u v - r (u^2 + v^2) / 2) / n (Hampel, The influence curve, JASA 69, 1974).
static Estimate estimateCorrelation(Sequences sequences, const DivergenceSummary &known) {
  double meanX = known.teacherCrossEntropy.mean, meanChange = known.crossEntropyChange.mean;
  Moments all{};
  for (const DivergenceSums &one : sequences) {
    Moments more = getMoments(one, meanX, meanChange);
    all.xx += more.xx;
    all.xy += more.xy;
    all.yy += more.yy;
  }
  double scale = std::sqrt(all.xx) * std::sqrt(all.yy);
  if (!(scale > 0))
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  // Rounding must not leave [-1, 1].
  double r = std::clamp(all.xy / scale, -1.0, 1.0);
  double error = getStandardError(sequences.size(), 1, [&](size_t i) {
    Moments one = getMoments(sequences[i], meanX, meanChange);
    return one.xy / scale - r / 2 * (one.xx / all.xx + one.yy / all.yy);
  });
  return {r, error};
}

DivergenceSummary ssmq::summarize(Sequences sequences, int64_t vocabSize) {
  auto getMean = [&](double DivergenceSums::*sum) { return estimateMean(sequences, sum); };
  DivergenceSummary result;
  result.numSequences = sequences.size();
  for (const DivergenceSums &one : sequences)
    result.numScored += one.numScored;
  result.forwardKL = getMean(&DivergenceSums::forwardKL);
  result.reverseKL = getMean(&DivergenceSums::reverseKL);
  result.meanSquaredError = estimateMean(sequences, &DivergenceSums::squaredError, vocabSize);
  result.signalToNoise = estimateSignalToNoise(sequences);
  result.teacherCrossEntropy = getMean(&DivergenceSums::teacherCrossEntropy);
  result.crossEntropyChange = getMean(&DivergenceSums::crossEntropyChange);
  result.perplexity = getExp(estimateRatio(sequences.size(), [&](size_t i) {
    return RatioTerm{sequences[i].teacherCrossEntropy + sequences[i].crossEntropyChange,
                     static_cast<double>(sequences[i].numScored)};
  }));
  result.teacherPerplexity = getExp(result.teacherCrossEntropy);
  result.perplexityRatio = getExp(result.crossEntropyChange);
  result.perplexityChange = estimatePerplexityChange(sequences, result);
  result.crossEntropyCorrelation = estimateCorrelation(sequences, result);
  result.probabilityChange = getMean(&DivergenceSums::probabilityChange);
  result.rmsProbabilityChange = getRoot(getMean(&DivergenceSums::squaredProbabilityChange));
  auto getShare = [&](llvm::function_ref<int64_t(const DivergenceSums &)> count) {
    return estimateRatio(sequences.size(), [&](size_t i) {
      return RatioTerm{static_cast<double>(count(sequences[i])),
                       static_cast<double>(sequences[i].numScored)};
    });
  };
  result.sameTop1 = getShare([](const auto &one) { return one.numSameTop1; });
  result.accuracy = getShare([](const auto &one) { return one.numCorrect; });
  result.teacherAccuracy = getShare([](const auto &one) { return one.numTeacherCorrect; });
  result.accuracyChange =
      getShare([](const auto &one) { return one.numCorrect - one.numTeacherCorrect; });
  return result;
}

Estimate ssmq::combineKL(llvm::ArrayRef<WeightedSums> terms) {
  size_t numSequences = terms.empty() ? 0 : terms.front().sequences.size();
  return estimateRatio(numSequences, [&](size_t i) {
    RatioTerm term{0, static_cast<double>(terms.front().sequences[i].numScored)};
    for (const WeightedSums &one : terms)
      term.sum += one.factor * one.sequences[i].forwardKL;
    return term;
  });
}
