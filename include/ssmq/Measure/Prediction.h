//===- Prediction.h - Divergences that were not measured --------*- C++ -*-===//
//
// For small changes the divergence is a quadratic form of what the ops that use a site get wrong.
// Roundings look alike up to their size, so at one site the divergence S is nearly proportional to
// the local error e, the squared change of those ops' results: S = g e, whatever the format. The
// gain g takes a run of everything behind the site, while e takes one op. So e is measured for each
// format, and S only for some cells (format, sequence) of a site; the others are predicted. This is
// double sampling with ratio estimation (Cochran, Sampling Techniques, 3rd ed., section 12.9), in
// logarithms, since both spread over decades.
//
// Some sequences are more sensitive than others at all sites; how much tells a change of all
// weights at once, the noise floor's B. With r = ln(S / e / B) of a measured cell, the gain of a
// sequence is the mean of r over its measured formats, or over all sequences if it has none.
// Errors: formats of one sequence differ by d = r - r', sequences by their gains; as a site has few
// cells, both variances are shrunk towards a prior with the weight of `priorWeight` observations.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_PREDICTION_H
#define SSMQ_MEASURE_PREDICTION_H

#include "ssmq/Measure/DivergenceSummary.h"
#include <optional>
#include <vector>

namespace ssmq {

/// Standard deviations of r at one site: between formats, over some sequences, and between
/// sequences; as seen on granite-hybrid-5m with formats of 4 and 8 bits
/// (benchmarks/sensitivity.py).
inline constexpr double priorFormatError = 0.1, priorGainError = 0.15, priorWeight = 4;

struct Cell {
  std::optional<DivergenceSums> sums;
  std::optional<double> localError;
};

/// What is known of a site.
class SiteCells {
public:
  SiteCells(size_t numFormats, size_t numSequences)
      : numSequences(numSequences), cells(numFormats * numSequences), logScales(numSequences) {}

  size_t getNumFormats() const { return cells.size() / numSequences; }
  size_t getNumSequences() const { return numSequences; }
  Cell &at(size_t format, size_t sequence) { return cells[format * numSequences + sequence]; }
  const Cell &at(size_t format, size_t sequence) const {
    return cells[format * numSequences + sequence];
  }
  /// ln B of a sequence; 0 while it is not known.
  double getLogScale(size_t sequence) const { return logScales[sequence]; }
  void setLogScale(size_t sequence, double value) { logScales[sequence] = value; }
  /// Also where only the first sequence has the format's: ratios of local errors hardly depend on
  /// the sequence.
  std::optional<double> getLocalError(size_t format, size_t sequence) const;

private:
  size_t numSequences;
  std::vector<Cell> cells;
  std::vector<double> logScales;
};

/// ln B from the noise floor on a sequence.
double getLogScale(const DivergenceSums &noiseFloor);

/// Of a prediction relative to its value: by the format, and by the mean gain of `n` sequences.
struct RelativeErrors {
  double format = priorFormatError;
  double gain = 0;
};
RelativeErrors estimateErrors(const SiteCells &site);

/// Sums of one format; KL both ways and squared errors only, where they are not measured.
struct PredictedRow {
  std::vector<DivergenceSums> sums;
  /// Standard error of what was predicted, relative to the whole.
  double relativeError = 0;
};
/// `numScored` tells the positions of each sequence. Nullopt when no cell of the site was measured
/// or a local error is not known.
std::optional<PredictedRow> predictRow(const SiteCells &site, size_t format,
                                       llvm::ArrayRef<int64_t> numScored);

/// As `summarize`; errors of sampling and of prediction together, NaN for what is not predicted.
DivergenceSummary summarize(const PredictedRow &row, int64_t vocabSize);

} // namespace ssmq

#endif // SSMQ_MEASURE_PREDICTION_H
