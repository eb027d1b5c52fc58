//===- Prediction.cpp - Divergences that were not measured ----------------===//

#include "ssmq/Measure/Prediction.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

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
  return std::nullopt;
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
};
} // namespace

static Gains getGains(const SiteCells &site, Sum sum) {
  Gains gains;
  for (size_t k = 0; k < site.getNumSequences(); ++k) {
    double total = 0;
    int count = 0;
    for (size_t f = 0; f < site.getNumFormats(); ++f)
      if (std::optional<double> ratio = getLogRatio(site, f, k, sum)) {
        total += *ratio;
        ++count;
      }
    gains.logs.push_back(count ? std::optional(total / count) : std::nullopt);
    gains.mean += count ? total / count : 0;
    gains.count += count != 0;
  }
  gains.mean /= static_cast<double>(gains.count);
  return gains;
}

static double shrink(double prior, double squares, double freedom) {
  return std::sqrt((priorWeight * prior * prior + squares) / (priorWeight + freedom));
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
  Gains gains = getGains(site, &DivergenceSums::forwardKL);
  double spread = 0;
  for (const std::optional<double> &log : gains.logs)
    spread += log ? (*log - gains.mean) * (*log - gains.mean) : 0;
  auto count = static_cast<double>(gains.count);
  return {shrink(priorFormatError, squares, pairs),
          count ? shrink(priorGainError, spread, count - 1) / std::sqrt(count) : INFINITY};
}

std::optional<PredictedRow> ssmq::predictRow(const SiteCells &site, size_t format,
                                             llvm::ArrayRef<int64_t> numScored) {
  static constexpr Sum predictable[] = {&DivergenceSums::forwardKL, &DivergenceSums::reverseKL,
                                        &DivergenceSums::squaredError};
  PredictedRow row;
  for (size_t k = 0; k < site.getNumSequences(); ++k) {
    DivergenceSums &sums = row.sums.emplace_back();
    if (site.at(format, k).sums)
      sums = *site.at(format, k).sums;
    sums.numScored = numScored[k];
    // The teacher's part is the same for all students.
    for (size_t f = 0; f < site.getNumFormats(); ++f)
      if (site.at(f, k).sums)
        sums.squaredTeacher = site.at(f, k).sums->squaredTeacher;
  }
  double predicted = 0, byMeanGain = 0, total = 0;
  for (Sum sum : predictable) {
    Gains gains = getGains(site, sum);
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
  RelativeErrors errors = estimateErrors(site);
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
        &DivergenceSummary::rmsProbabilityChange, &DivergenceSummary::sameTop1})
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
