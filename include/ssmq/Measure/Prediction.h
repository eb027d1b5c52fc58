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
// With r = ln(S / e) of a measured cell, the gain of a sequence is the mean of r over its measured
// formats, or over all sequences if it has none. Errors: formats of one sequence differ by d = r -
// r', sequences by their gains; both variances are shrunk towards (priorError)^2 with the weight of
// `priorWeight` observations, since a site has few cells.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_PREDICTION_H
#define SSMQ_MEASURE_PREDICTION_H

#include "ssmq/Measure/DivergenceSummary.h"
#include <optional>
#include <vector>

namespace ssmq {

/// Spread of r between formats or sequences of one site: 0.06 to 0.12 on granite-hybrid-5m
/// (benchmarks/README.md).
inline constexpr double priorError = 0.08, priorWeight = 3;

struct Cell {
  std::optional<DivergenceSums> sums;
  std::optional<double> localError;
};

/// What is known of a site.
class SiteCells {
public:
  SiteCells(size_t numFormats, size_t numSequences)
      : numSequences(numSequences), cells(numFormats * numSequences) {}

  size_t getNumFormats() const { return cells.size() / numSequences; }
  size_t getNumSequences() const { return numSequences; }
  Cell &at(size_t format, size_t sequence) { return cells[format * numSequences + sequence]; }
  const Cell &at(size_t format, size_t sequence) const {
    return cells[format * numSequences + sequence];
  }
  bool isMeasured(size_t format) const;
  /// Also where only the first sequence has the format's: ratios of local errors hardly depend on
  /// the sequence.
  std::optional<double> getLocalError(size_t format, size_t sequence) const;

private:
  size_t numSequences;
  std::vector<Cell> cells;
};

/// Of a prediction relative to its value: by the format, and by the mean gain of `n` sequences.
struct RelativeErrors {
  double format = priorError;
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
