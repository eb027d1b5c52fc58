//===- ProfileReport.h - Where the time of a program goes -------*- C++ -*-===//
//
// Sums the timed ops of a compiled program (Runtime/Profile.h) by phase, and within a phase by
// kind, by layer and by op; writes them as a text and as a trace for chrome://tracing or Perfetto.
// Times are of ops alone: what a step takes beside them is its "between ops".
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_PROFILEREPORT_H
#define SSMQ_MEASURE_PROFILEREPORT_H

#include "ssmq/Runtime/Peaks.h"
#include "ssmq/Runtime/Profile.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace ssmq {

/// One call of an entry with `tokens` tokens after `position` others; nanoseconds of the clock of
/// its calls.
struct ProfiledStep {
  /// "prefill" or "decode".
  std::string phase;
  int64_t tokens, position, begin, end;
  std::vector<ProfiledCall> calls;
};

/// The numbers of some ops in one phase, over all its steps.
struct ProfileSum {
  std::string name;
  int64_t calls = 0, nanoseconds = 0, bytes = 0, multiplyAdds = 0;
  /// Of multiplyAdds, those of integers.
  int64_t integerMultiplyAdds = 0;
};

struct ProfilePhase {
  std::string name;
  int64_t steps = 0, tokens = 0, nanoseconds = 0;
  /// Kinds and ops costliest first, layers in the order of the program.
  std::vector<ProfileSum> kinds, layers, ops;
};

/// Phases in the order of their first step. A call's number must be one of `ops`.
std::vector<ProfilePhase> summarize(llvm::ArrayRef<ProfiledOp> ops,
                                    llvm::ArrayRef<ProfiledStep> steps);

/// Tables of each phase, a step's mean: time, its share, bytes, their rate and its share of the
/// bandwidth, multiply-adds, their rate and its share of the peak; of single ops the costliest.
void printProfile(llvm::ArrayRef<ProfilePhase> phases, const MachinePeaks &peaks,
                  llvm::raw_ostream &stream, unsigned numOps = 12);

/// JSON of the trace event format: a complete event ("X") for each step and each call, with the
/// op's kernel, bytes and multiply-adds as arguments.
void writeTrace(llvm::ArrayRef<ProfiledOp> ops, llvm::ArrayRef<ProfiledStep> steps,
                llvm::raw_ostream &stream);

} // namespace ssmq

#endif // SSMQ_MEASURE_PROFILEREPORT_H
