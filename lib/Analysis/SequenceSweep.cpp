//===- SequenceSweep.cpp - One sequence and what is measured on it --------===//

#include "ssmq/Analysis/SequenceSweep.h"

#include "ssmq/Support/HalfFloat.h"
#include "ssmq/Support/UnusableError.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::DivergenceSums;
using ::ssmq::TeacherLogits;
using ::ssmq::Tensor;

Expected<SequenceSweep> SequenceSweep::create(const InterpreterProgram &program,
                                              const ::ssmq::Sequence &sequence) {
  SequenceSweep sweep(program, sequence.inputs);
  Expected<::ssmq::ProgramState> state = program.createState(sequence.getNumSteps());
  if (!state)
    return state.takeError();
  Expected<Tensor> logits = program.forward(sweep.inputs, *state, &sweep.trace);
  if (!logits)
    return logits.takeError();
  Expected<TeacherLogits> teacher = TeacherLogits::create(*logits, sequence.targets);
  if (!teacher)
    return teacher.takeError();
  sweep.teacher.emplace(std::move(*teacher));
  const Perturbation &base = program.getInterpreter().getBase();
  if (!base.isEmpty())
    if (failed(program.getInterpreter().runPerturbed(sweep.trace, base, &sweep.trace)))
      return llvm::createStringError("the program fails under its base");
  return sweep;
}

Expected<DivergenceSums> SequenceSweep::measure(const SitePerturbation &perturbed) const {
  FailureOr<SmallVector<Tensor>> results = getInterpreter().rerun(trace, perturbed.perturbation);
  if (failed(results))
    return llvm::createStringError("the program fails with a changed value");
  if (Error fault = perturbed.takeFault())
    return std::move(fault);
  return teacher->compare(results->front().data<float>());
}

Expected<DivergenceSums> SequenceSweep::measureWhole(const SitePerturbation &mix) const {
  FailureOr<SmallVector<Tensor>> results = getInterpreter().runPerturbed(trace, mix.perturbation);
  if (failed(results))
    return llvm::createStringError("the program fails with changed values");
  if (Error fault = mix.takeFault())
    return std::move(fault);
  return teacher->compare(results->front().data<float>());
}

Expected<double> SequenceSweep::measureLocalError(const SitePerturbation &perturbed,
                                                  Value cut) const {
  const Interpreter &interpreter = getInterpreter();
  FailureOr<double> error = cut ? interpreter.measureErrorAt(cut, trace, perturbed.perturbation)
                                : interpreter.measureLocalError(trace, perturbed.perturbation);
  if (failed(error))
    return llvm::createStringError("an op fails with a changed value");
  if (Error fault = perturbed.takeFault())
    return std::move(fault);
  if (!std::isfinite(*error))
    return llvm::make_error<::ssmq::UnusableError>("a result is not finite");
  return *error;
}

Expected<DivergenceSums> SequenceSweep::measureHalves() const {
  int64_t numSteps = inputs.getDim(0), half = numSteps / 2;
  Expected<::ssmq::ProgramState> state = program->createState(numSteps);
  if (!state)
    return state.takeError();
  DivergenceSums sums;
  for (auto [begin, end] : {std::pair(int64_t(0), half), std::pair(half, numSteps)}) {
    if (begin == end)
      continue;
    Expected<Tensor> logits = program->forward(takeSteps(inputs, begin, end - begin), *state);
    if (!logits)
      return logits.takeError();
    // A classifier says what it was asked when it has seen all.
    bool givesOneRow = program->getNumRows(numSteps) < numSteps;
    if (givesOneRow && end < numSteps)
      continue;
    Expected<DivergenceSums> more =
        teacher->compare(logits->data<float>(), givesOneRow ? 0 : begin);
    if (!more)
      return more.takeError();
    sums += *more;
  }
  return sums;
}

static Tensor roundToBFloat(const Tensor &weight) {
  Tensor rounded = weight.clone();
  for (float &value : rounded.mutableData<float>())
    value = ::ssmq::bfloatToFloat(::ssmq::floatToBFloat(value));
  return rounded;
}

Expected<DivergenceSums> SequenceSweep::measureBFloat(ArrayRef<Site> weights) const {
  SitePerturbation perturbed;
  // Rounded one by one where they are read: a second copy of all weights is too much to hold.
  for (const Site &site : weights)
    for (OpOperand *use : site.uses)
      perturbed.perturbation.values[use] = roundToBFloat;
  return measure(perturbed);
}
