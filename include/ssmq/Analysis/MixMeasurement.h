//===- MixMeasurement.h - Many sites quantized at a time --------*- C++ -*-===//
//
// A sensitivity table has the divergence of one changed site; that of a mix of formats is measured
// here, from the same teacher and on the same sequences, so that differences between mixes are
// paired. Changes are measured relative to a base mix too: the base runs once on a sequence, and
// each change of it costs a rerun, as a candidate of a sweep does.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ANALYSIS_MIXMEASUREMENT_H
#define SSMQ_ANALYSIS_MIXMEASUREMENT_H

#include "ssmq/Analysis/SitePerturbation.h"
#include "ssmq/Analysis/SiteRanges.h"
#include "ssmq/Measure/Divergence.h"
#include "ssmq/Reference/InterpreterProgram.h"

namespace mlir::ssm {

/// Formats of some sites, each at most once; the others stay as they are.
using Mix = std::vector<SiteChange>;
/// One element a sequence.
using SequenceSums = std::vector<::ssmq::DivergenceSums>;

class MixMeasurement {
public:
  /// Mixes are measured `threads` at a time. All arguments must outlive this.
  MixMeasurement(InterpreterProgram &program, ArrayRef<::ssmq::Sequence> sequences,
                 unsigned threads)
      : program(program), sequences(sequences), threads(threads) {}

  /// KL(teacher || mix) and all else, in f32.
  llvm::Expected<std::vector<SequenceSums>> measure(std::vector<Mix> mixes);

  /// The same of the base with the formats of each change in the place of its own. The changes go
  /// through the program in bytes unless `exact`.
  llvm::Expected<std::vector<SequenceSums>> measureChanges(Mix base, std::vector<Mix> changes,
                                                           bool exact);

  const Interpreter &getInterpreter() const { return program.getInterpreter(); }

  /// Observes the ranges of static formats on the teacher's runs and points to them.
  llvm::Error addRanges(llvm::MutableArrayRef<Mix> mixes);

private:
  using MeasureOne = llvm::function_ref<llvm::Expected<::ssmq::DivergenceSums>(
      const class SequenceSweep &, const Mix &)>;

  llvm::Expected<std::vector<SequenceSums>> measureEach(llvm::StringRef label, ArrayRef<Mix> mixes,
                                                        MeasureOne measureOne);

  InterpreterProgram &program;
  ArrayRef<::ssmq::Sequence> sequences;
  unsigned threads;
  /// Of a site, by StaticRanges::getKey of the format.
  SiteRanges ranges;
};

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_MIXMEASUREMENT_H
