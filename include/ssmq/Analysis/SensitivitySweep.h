//===- SensitivitySweep.h - Measures every (site, format) -------*- C++ -*-===//
//
// For each calibration sequence the program is run once with all its values kept; then, for each
// candidate, the weight of its site is replaced by what the format makes of it, and only the ops
// that depend on it are evaluated again. What the logits differ by is a record.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ANALYSIS_SENSITIVITYSWEEP_H
#define SSMQ_ANALYSIS_SENSITIVITYSWEEP_H

#include "ssmq/Analysis/Sites.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Measure/SequenceRecord.h"
#include "ssmq/Reference/InterpreterProgram.h"

namespace mlir::ssm {

struct SweepOptions {
  SmallVector<std::shared_ptr<const ::ssmq::Format>> formats;
  /// Candidates measured at the same time; results do not depend on it.
  unsigned threads = 1;
};

/// Where records go and which are known already; both may be called from many threads.
struct SweepSink {
  llvm::function_ref<bool(int64_t sequence, const ::ssmq::Candidate &)> isDone;
  llvm::function_ref<llvm::Error(const ::ssmq::SequenceRecord &)> add;
};

/// Cuts tokens into sequences of `length`; a last one of fewer than two tokens is dropped.
SmallVector<ArrayRef<int32_t>> cutSequences(ArrayRef<int32_t> tokens, int64_t length);

/// The formats without those that store a row of `columns` as an earlier one does: groups longer
/// than the row are whole channels.
SmallVector<std::shared_ptr<const ::ssmq::Format>>
getDistinctFormats(ArrayRef<std::shared_ptr<const ::ssmq::Format>> formats, int64_t columns);

/// The candidates of a sweep: the noise floor, then each site with each format.
std::vector<::ssmq::Candidate> listCandidates(ArrayRef<Site> sites, const SweepOptions &options);

/// Measures all candidates on one sequence. Fails when a weight cannot be held in a format or
/// logits are not finite; what was added until then stays.
llvm::Error sweepSequence(const InterpreterProgram &program, ArrayRef<Site> sites,
                          ArrayRef<int32_t> tokens, int64_t sequence, const SweepOptions &options,
                          SweepSink sink);

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_SENSITIVITYSWEEP_H
