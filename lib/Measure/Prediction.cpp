//===- Prediction.cpp - Divergences that were not measured ----------------===//

#include "ssmq/Measure/Prediction.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>
#include <numeric>

using namespace ssmq;
using Sum = double DivergenceSums::*;

std::optional<double> SiteCells::getLocalError(size_t format, size_t sequence) const {
  if (at(format, sequence).localError)
    return at(format, sequence).localError;
  std::optional<double> first = at(format, 0).localError;
  for (size_t other = 0; first && other < getNumFormats(); ++other) {
    std::optional<double> here = at(other, sequence).localError, there = at(other, 0).localError;
    if (here && there && *there > 0)
      return *first * (*here / *there);
  }
  return first;
}

/// ln(S / e / B); nullopt where one of them is not known or zero.
static std::optional<double> getLogRatio(const SiteCells &site, size_t format, size_t sequence,
                                         Sum sum) {
  const Cell &cell = site.at(format, sequence);
  std::optional<double> error = site.getLocalError(format, sequence);
  if (!cell.sums || !error || *error <= 0 || *cell.sums.*sum <= 0)
    return std::nullopt;
  return std::log(*cell.sums.*sum / *error) - site.getLogScale(sequence);
}

double ssmq::getLogScale(const DivergenceSums &noiseFloor) {
  return noiseFloor.forwardKL > 0
             ? std::log(noiseFloor.forwardKL / static_cast<double>(noiseFloor.numScored))
             : 0;
}

namespace {
/// Of all sequences; nullopt in one without a measured format.
struct Gains {
  std::vector<std::optional<double>> logs;
  double mean = 0;
  size_t count = 0;
  /// Summed squares of their distances from the mean.
  double spread = 0;
};
} // namespace

/// The ratios of all measured cells on a sequence.
static llvm::SmallVector<double> getLogRatios(Siblings sites, size_t sequence, Sum sum) {
  llvm::SmallVector<double> ratios;
  for (const SiteCells *site : sites)
    for (size_t f = 0; f < site->getNumFormats(); ++f)
      if (std::optional<double> ratio = getLogRatio(*site, f, sequence, sum))
        ratios.push_back(*ratio);
  return ratios;
}

static double getMean(llvm::ArrayRef<double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

static double getSpread(llvm::ArrayRef<double> values) {
  double squares = 0;
  for (double value : values)
    squares += (value - getMean(values)) * (value - getMean(values));
  return squares;
}

static Gains getGains(Siblings sites, Sum sum) {
  Gains gains;
  llvm::SmallVector<double> known;
  for (size_t k = 0; k < sites.front()->getNumSequences(); ++k) {
    llvm::SmallVector<double> ratios = getLogRatios(sites, k, sum);
    gains.logs.push_back(ratios.empty() ? std::nullopt : std::optional(getMean(ratios)));
    if (!ratios.empty())
      known.push_back(*gains.logs.back());
  }
  gains.mean = getMean(known);
  gains.count = known.size();
  gains.spread = getSpread(known);
  return gains;
}

static double shrink(double prior, double squares, double freedom) {
  return std::sqrt((priorWeight * prior * prior + squares) / (priorWeight + freedom));
}

static double getGainError(Siblings sites) {
  Gains gains = getGains(sites, &DivergenceSums::forwardKL);
  auto count = static_cast<double>(gains.count);
  return gains.count ? shrink(priorGainError, gains.spread, count - 1) / std::sqrt(count)
                     : INFINITY;
}

RelativeErrors ssmq::estimateErrors(const SiteCells &site) {
  double squares = 0, pairs = 0;
  for (size_t k = 0; k < site.getNumSequences(); ++k) {
    std::optional<double> first;
    for (size_t f = 0; f < site.getNumFormats(); ++f) {
      std::optional<double> ratio = getLogRatio(site, f, k, &DivergenceSums::forwardKL);
      if (ratio && first) {
        squares += (*ratio - *first) * (*ratio - *first);
        ++pairs;
      } else if (ratio) {
        first = ratio;
      }
    }
  }
  return {shrink(priorFormatError, squares, pairs), getGainError(&site)};
}

/// Squares of the distances of all cells of a cut from their sequence's mean, and their freedom.
static std::pair<double, double> getCutSpread(Siblings siblings) {
  double squares = 0, freedom = 0;
  for (size_t k = 0; k < siblings.front()->getNumSequences(); ++k) {
    llvm::SmallVector<double> ratios = getLogRatios(siblings, k, &DivergenceSums::forwardKL);
    if (ratios.size() < 2)
      continue;
    squares += getSpread(ratios);
    freedom += static_cast<double>(ratios.size() - 1);
  }
  return {squares, freedom};
}

RelativeErrors ssmq::estimateErrors(Siblings siblings, double cutError) {
  auto [squares, freedom] = getCutSpread(siblings);
  // The mean of n cells predicts another one.
  double spread = shrink(cutError, squares, freedom);
  return {spread * std::sqrt(1 + 1 / (freedom + 1)), getGainError(siblings)};
}

double ssmq::estimateCutError(llvm::ArrayRef<std::vector<const SiteCells *>> cuts) {
  double squares = 0, freedom = 0;
  for (const std::vector<const SiteCells *> &siblings : cuts) {
    auto [more, moreFreedom] = getCutSpread(siblings);
    squares += more;
    freedom += moreFreedom;
  }
  return shrink(priorCutError, squares, freedom);
}

std::optional<PredictedRow> ssmq::predictRow(const SiteCells &site, size_t format,
                                             llvm::ArrayRef<int64_t> numScored, Siblings siblings,
                                             double cutError) {
  static constexpr Sum predictable[] = {&DivergenceSums::forwardKL, &DivergenceSums::reverseKL,
                                        &DivergenceSums::squaredError};
  const SiteCells *self = &site;
  bool isMeasured = getGains(self, &DivergenceSums::forwardKL).count > 0;
  bool bySiblings = !isMeasured && !siblings.empty();
  Siblings sources = bySiblings ? siblings : Siblings(self);
  PredictedRow row;
  for (size_t k = 0; k < site.getNumSequences(); ++k) {
    DivergenceSums &sums = row.sums.emplace_back();
    if (site.at(format, k).sums)
      sums = *site.at(format, k).sums;
    sums.numScored = numScored[k];
    // The teacher's part is the same for all students.
    for (const SiteCells *source : sources)
      for (size_t f = 0; f < source->getNumFormats(); ++f)
        if (source->at(f, k).sums)
          sums.squaredTeacher = source->at(f, k).sums->squaredTeacher;
  }
  double predicted = 0, byMeanGain = 0, total = 0;
  for (Sum sum : predictable) {
    Gains gains = getGains(sources, sum);
    for (size_t k = 0; k < site.getNumSequences(); ++k) {
      bool isKL = sum == &DivergenceSums::forwardKL;
      if (!site.at(format, k).sums) {
        std::optional<double> error = site.getLocalError(format, k);
        if (!error || (gains.count == 0 && *error > 0))
          return std::nullopt;
        double value =
            *error > 0 ? *error * std::exp(gains.logs[k].value_or(gains.mean) + site.getLogScale(k))
                       : 0;
        row.sums[k].*sum = value;
        predicted += isKL ? value : 0;
        byMeanGain += isKL && !gains.logs[k] ? value : 0;
      }
      total += isKL ? row.sums[k].*sum : 0;
    }
  }
  RelativeErrors errors = bySiblings ? estimateErrors(siblings, cutError) : estimateErrors(site);
  if (total > 0)
    row.relativeError = std::hypot(errors.format * predicted / total,
                                   byMeanGain > 0 ? errors.gain * byMeanGain / total : 0);
  return row;
}

DivergenceSummary ssmq::summarize(const PredictedRow &row, int64_t vocabSize) {
  DivergenceSummary all = summarize(llvm::ArrayRef(row.sums), vocabSize), result;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (Estimate DivergenceSummary::*unknown :
       {&DivergenceSummary::teacherCrossEntropy, &DivergenceSummary::crossEntropyChange,
        &DivergenceSummary::perplexity, &DivergenceSummary::teacherPerplexity,
        &DivergenceSummary::perplexityRatio, &DivergenceSummary::perplexityChange,
        &DivergenceSummary::crossEntropyCorrelation, &DivergenceSummary::probabilityChange,
        &DivergenceSummary::rmsProbabilityChange, &DivergenceSummary::sameTop1,
        &DivergenceSummary::accuracy, &DivergenceSummary::teacherAccuracy,
        &DivergenceSummary::accuracyChange})
    result.*unknown = {nan, nan};
  result.numSequences = all.numSequences;
  result.numScored = all.numScored;
  auto widen = [&](Estimate estimate, double unit) {
    return Estimate{estimate.mean, std::hypot(estimate.standardError, row.relativeError * unit)};
  };
  result.forwardKL = widen(all.forwardKL, all.forwardKL.mean);
  result.reverseKL = widen(all.reverseKL, all.reverseKL.mean);
  result.meanSquaredError = widen(all.meanSquaredError, all.meanSquaredError.mean);
  // d(10 log10 x) = 10 / ln(10) dx / x
  result.signalToNoise = widen(all.signalToNoise, 10 / std::log(10.0));
  return result;
}
