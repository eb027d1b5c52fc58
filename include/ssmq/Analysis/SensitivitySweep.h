//===- SensitivitySweep.h - Measures every (site, format) -------*- C++ -*-===//
//
// Sequence by sequence, each site in each format: its local error (the ops that use it, or the
// program up to the site's cut, evaluated alone), and, where the plan asks for it
// (Measure/MeasurementPlan.h), the divergence of a rerun from the perturbed ops on. Sites whose
// divergences could not be predicted well enough are measured whole at the end. Records do not
// depend on threads, interruptions or shards.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ANALYSIS_SENSITIVITYSWEEP_H
#define SSMQ_ANALYSIS_SENSITIVITYSWEEP_H

#include "ssmq/Analysis/Sites.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Measure/MeasurementPlan.h"
#include "ssmq/Measure/SequenceRecord.h"
#include "ssmq/Reference/InterpreterProgram.h"

namespace mlir::ssm {

using FormatList = SmallVector<std::shared_ptr<const ::ssmq::Format>>;

struct SweepOptions {
  /// Relative standard error up to which a divergence may be predicted; 0 measures all.
  double precision = 0;
  /// Sites measured at the same time.
  unsigned threads = 1;
  /// Only the sites i with i % numShards == shard, or, with cuts, all siblings of the i-th cut; and
  /// the noise floor.
  unsigned shard = 0, numShards = 1;
  /// As findCuts gives them; empty to predict each site from itself alone.
  ArrayRef<Value> cuts = {};
};

/// Where records go and come from; all may be called from many threads.
struct SweepSink {
  /// What an earlier run knows of a candidate: its measurement, or its local error; in the place
  /// of either, that it cannot be used.
  llvm::function_ref<const ::ssmq::SequenceRecord *(int64_t sequence, const ::ssmq::Candidate &,
                                                    bool isLocalError)>
      find;
  /// Takes each record of the result, also those that were found.
  llvm::function_ref<llvm::Error(const ::ssmq::SequenceRecord &, bool isNew)> add;
  /// After all records of a sequence.
  llvm::function_ref<llvm::Error()> endSequence;
};

/// The formats that can hold the site's value, without those that store it as an earlier one does:
/// groups longer than a row are whole channels.
FormatList getDistinctFormats(ArrayRef<std::shared_ptr<const ::ssmq::Format>> formats,
                              const Site &site);

/// The cut of each site; null where it has none.
SmallVector<Value> findCuts(const Interpreter &interpreter, ArrayRef<Site> sites);

/// Measures `formats[i]` at `sites[i]` on all sequences, each until it overflows on one: then its
/// last record says so, and the other formats of the site are measured whole. Fails when the
/// program overflows without any; what was added until then stays.
llvm::Error sweepSites(const InterpreterProgram &program, ArrayRef<Site> sites,
                       ArrayRef<FormatList> formats, ArrayRef<::ssmq::Sequence> sequences,
                       const SweepOptions &options, const SweepSink &sink);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_SENSITIVITYSWEEP_H
