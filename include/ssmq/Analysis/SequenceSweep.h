//===- SequenceSweep.h - One sequence and what is measured on it -*- C++ -*-===//
//
// The program is run once on a calibration sequence with all its values kept; perturbed reruns are
// compared with its logits.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ANALYSIS_SEQUENCESWEEP_H
#define SSMQ_ANALYSIS_SEQUENCESWEEP_H

#include "ssmq/Analysis/SitePerturbation.h"
#include "ssmq/Measure/Divergence.h"
#include "ssmq/Reference/InterpreterProgram.h"

namespace mlir::ssm {

class SequenceSweep {
public:
  /// Runs the teacher on the sequence. The trace is that of the interpreter's base.
  static llvm::Expected<SequenceSweep> create(const InterpreterProgram &program,
                                              const ::ssmq::Sequence &sequence);

  const Interpreter &getInterpreter() const { return program->getInterpreter(); }
  const Interpreter::Values &getTrace() const { return trace; }

  llvm::Expected<::ssmq::DivergenceSums> measure(const SitePerturbation &perturbed) const;
  /// Of many changes together, as exact as a run; for an interpreter without base.
  llvm::Expected<::ssmq::DivergenceSums> measureWhole(const SitePerturbation &mix) const;
  /// Squared change of the value of the cut (Interpreter::findCut), or, without one, of the results
  /// of the ops that use the site.
  llvm::Expected<double> measureLocalError(const SitePerturbation &perturbed, Value cut) const;
  /// Noise floors, changes that should not matter: the sequence fed in two halves, and these
  /// weights in bf16.
  llvm::Expected<::ssmq::DivergenceSums> measureHalves() const;
  llvm::Expected<::ssmq::DivergenceSums> measureBFloat(ArrayRef<Site> weights) const;

private:
  SequenceSweep(const InterpreterProgram &program, ::ssmq::Tensor inputs)
      : program(&program), inputs(std::move(inputs)) {}

  const InterpreterProgram *program;
  ::ssmq::Tensor inputs;
  Interpreter::Values trace;
  std::optional<::ssmq::TeacherLogits> teacher;
};

} // namespace mlir::ssm

#endif // SSMQ_ANALYSIS_SEQUENCESWEEP_H
