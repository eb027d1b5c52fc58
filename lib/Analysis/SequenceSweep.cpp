//===- SequenceSweep.cpp - One sequence and what is measured on it --------===//

#include "ssmq/Analysis/SequenceSweep.h"

#include "ssmq/Support/HalfFloat.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::DivergenceSums;
using ::ssmq::TeacherLogits;
using ::ssmq::Tensor;

Expected<SequenceSweep> SequenceSweep::create(const InterpreterProgram &program,
                                              ArrayRef<int32_t> tokens) {
  SequenceSweep sweep(program, tokens.drop_back());
  Expected<::ssmq::ProgramState> state = program.createState(sweep.inputs.size());
  if (!state)
    return state.takeError();
  Expected<Tensor> logits = program.forward(sweep.inputs, *state, &sweep.trace);
  if (!logits)
    return logits.takeError();
  Expected<TeacherLogits> teacher = TeacherLogits::create(*logits, tokens.drop_front());
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
  return *error;
}

Expected<DivergenceSums> SequenceSweep::measureHalves() const {
  Expected<::ssmq::ProgramState> state = program->createState(inputs.size());
  if (!state)
    return state.takeError();
  DivergenceSums sums;
  size_t half = inputs.size() / 2;
  for (ArrayRef<int32_t> part : {inputs.take_front(half), inputs.drop_front(half)}) {
    if (part.empty())
      continue;
    Expected<Tensor> logits = program->forward(part, *state);
    if (!logits)
      return logits.takeError();
    Expected<DivergenceSums> more =
        teacher->compare(logits->data<float>(), part.begin() - inputs.begin());
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
