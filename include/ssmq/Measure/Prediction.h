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
// Sites of one block act on everything behind it through the residual stream alone. Where e is
// the squared change of that stream (a *cut*, Interpreter::findCut), such siblings have nearly the
// same gain, so that a site of which nothing was measured is predicted from its siblings; how much
// gains differ at one cut is shrunk towards what all cuts of the table say.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_PREDICTION_H
#define SSMQ_MEASURE_PREDICTION_H

#include "ssmq/Measure/DivergenceSummary.h"
#include <optional>
#include <vector>

namespace ssmq {

/// Standard deviations of r at one site: between formats, over some sequences, and between
/// sequences; and of r between sites and formats at one cut. On granite-hybrid-5m, with formats of
/// 4 and 8 bits, benchmarks/sensitivity.py --exact sees 0.11, 0.18 and 0.27; with these values its
/// rows are off by 0.6 (precision 0.15) and 1.0 (0.4) of their errors, rms.
inline constexpr double priorFormatError = 0.1, priorGainError = 0.15, priorCutError = 0.3,
                        priorWeight = 4;

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
  /// the sequence, and errors themselves little.
  std::optional<double> getLocalError(size_t format, size_t sequence) const;

private:
  size_t numSequences;
  std::vector<Cell> cells;
  std::vector<double> logScales;
};

/// ln B from the noise floor on a sequence.
double getLogScale(const DivergenceSums &noiseFloor);

/// Sites of one kind with the same cut.
using Siblings = llvm::ArrayRef<const SiteCells *>;

/// Of a prediction relative to its value: by the format (or by site and format), and by the mean
/// gain of `n` sequences.
struct RelativeErrors {
  double format = priorFormatError;
  double gain = 0;
};
RelativeErrors estimateErrors(const SiteCells &site);
/// Of a site that is predicted from what was measured of its siblings.
RelativeErrors estimateErrors(Siblings siblings, double cutError = priorCutError);
/// What takes the place of `priorCutError` once all cuts of a table are measured.
double estimateCutError(llvm::ArrayRef<std::vector<const SiteCells *>> cuts);

/// Sums of one format; KL both ways and squared errors only, where they are not measured.
struct PredictedRow {
  std::vector<DivergenceSums> sums;
  /// Standard error of what was predicted, relative to the whole.
  double relativeError = 0;
};
/// `numScored` tells the positions of each sequence. Siblings, with the site among them or not, are
/// asked where nothing of the site was measured. Nullopt when there is no gain or a local error is
/// not known.
std::optional<PredictedRow> predictRow(const SiteCells &site, size_t format,
                                       llvm::ArrayRef<int64_t> numScored, Siblings siblings = {},
                                       double cutError = priorCutError);

/// As `summarize`; errors of sampling and of prediction together, NaN for what is not predicted.
DivergenceSummary summarize(const PredictedRow &row, int64_t vocabSize);

} // namespace ssmq

#endif // SSMQ_MEASURE_PREDICTION_H
