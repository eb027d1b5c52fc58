//===- MeasurementPlan.h - Which cells are worth a measurement --*- C++ -*-===//
//
// Every (format, sequence) of a site could be measured; a plan measures as few as predict the
// others (Prediction.h) within `precision`, the relative standard error of a KL that is left to
// prediction. What it asks for depends on earlier sequences of the same site alone, so that the
// result of a run does not depend on threads, interruptions or shards.
//
// On each sequence the anchor is measured, the format of the largest local error; on the first also
// the format of the smallest, which tells how well gains carry over. Once a prediction by the mean
// gain is right within the precision, sequences are skipped. A site whose formats disagree by more
// is measured whole in the end.
//
// A coarse precision looks at siblings first, the sites that share a cut: on the first sequence two
// of them are measured, in the format of the largest and in that of the smallest error at the cut.
// Where these agree, the others are left to prediction.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_MEASUREMENTPLAN_H
#define SSMQ_MEASURE_MEASUREMENTPLAN_H

#include "ssmq/Measure/Prediction.h"
#include "llvm/ADT/SmallVector.h"

namespace ssmq {

class MeasurementPlan {
public:
  /// 0 measures everything.
  explicit MeasurementPlan(double precision) : precision(precision) {}

  bool measuresAll() const { return precision <= 0; }
  /// Whether sites can be left to their siblings at all; local errors are then those at cuts.
  bool usesCuts() const;
  struct Probe {
    size_t site, format;
  };
  /// What to measure of siblings on the first sequence before anything else.
  llvm::SmallVector<Probe> chooseProbes(Siblings siblings) const;
  /// Whether these probes suffice.
  bool predictsSiblings(Siblings siblings) const;

  /// Formats whose local error is needed on this sequence: all on the first, then the anchor's.
  llvm::SmallVector<size_t> chooseLocal(const SiteCells &site, size_t sequence) const;
  /// Formats to measure on this sequence; local errors are known by then.
  llvm::SmallVector<size_t> chooseMeasured(const SiteCells &site, size_t sequence) const;
  /// After the last sequence: whether to measure what is missing.
  bool needsAll(const SiteCells &site) const;

private:
  double precision;
};

} // namespace ssmq

#endif // SSMQ_MEASURE_MEASUREMENTPLAN_H
