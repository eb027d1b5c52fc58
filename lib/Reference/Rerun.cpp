//===- Rerun.cpp - A program near a known run -----------------------------===//

#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Reference/Interpreter.h"
#include "ssmq/Support/Parallel.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Tensor;

void Interpreter::setBase(Perturbation perturbation) {
  base = std::move(perturbation);
  for (Step &step : steps)
    step.prepared = nullptr;
}

/// Whether the perturbation has something for this operand, which is done to its value.
static bool perturbValue(OpOperand &use, Tensor &value, const Perturbation &perturbation) {
  if (auto it = perturbation.operands.find(&use); it != perturbation.operands.end()) {
    value = it->second;
    return true;
  }
  auto it = perturbation.values.find(&use);
  if (it == perturbation.values.end())
    return false;
  if (it->second)
    value = it->second(value);
  return true;
}

/// Calls `visit` on the operands that a value of `operands` stands for: those of the op and, behind
/// them, what its regions read from outside.
static void forEachUse(Operation *op, MutableArrayRef<Tensor> operands,
                       llvm::function_ref<void(OpOperand &, Tensor &)> visit) {
  for (OpOperand &operand : op->getOpOperands())
    visit(operand, operands[operand.getOperandNumber()]);
  if (op->getNumRegions() == 0)
    return;
  for (auto [value, tensor] :
       llvm::zip_equal(getCapturedValues(op), operands.drop_front(op->getNumOperands())))
    for (OpOperand &use : value.getUses())
      if (op->isProperAncestor(use.getOwner()))
        visit(use, tensor);
}

/// Makes of the operands what `perturbation` wants or, where it wants nothing, `base`.
static void perturb(Operation *op, MutableArrayRef<Tensor> operands,
                    const Perturbation &perturbation, const Perturbation &base) {
  forEachUse(op, operands, [&](OpOperand &use, Tensor &value) {
    if (!perturbValue(use, value, perturbation))
      perturbValue(use, value, base);
  });
}

/// Whether the perturbation changes an operand or the states of the op.
static bool touches(const Perturbation &perturbation, Operation *op, size_t numOperands) {
  if (perturbation.isEmpty())
    return false;
  bool touched = perturbation.states.contains(op);
  SmallVector<Tensor> none(numOperands);
  forEachUse(op, none, [&](OpOperand &use, Tensor &) {
    touched |= perturbation.operands.contains(&use) || perturbation.values.contains(&use);
  });
  return touched;
}

llvm::BitVector Interpreter::findChangedConstants() const {
  llvm::BitVector changed(slotOf.size());
  for (const Step &step : steps) {
    if (!step.constant || base.isEmpty())
      continue;
    if (touches(base, step.op, step.operands.size()) ||
        llvm::any_of(step.operands, [&](unsigned slot) { return changed.test(slot); }))
      for (unsigned slot : step.results)
        changed.set(slot);
  }
  return changed;
}

void Interpreter::prepareReruns(unsigned threads) {
  llvm::BitVector changed = findChangedConstants();
  ::ssmq::parallelFor(threads, steps.size(), [&](int64_t begin, int64_t end) {
    for (Step &step : llvm::MutableArrayRef(steps).slice(begin, end - begin)) {
      if (step.constant ||
          llvm::any_of(step.operands, [&](unsigned slot) { return changed.test(slot); }))
        continue;
      // Values that are not constant are null here, and no base has anything to round.
      Tensors operands = getOperands(step, constants);
      for (OpOperand &use : step.op->getOpOperands())
        if (auto it = base.operands.find(&use); it != base.operands.end())
          operands[use.getOperandNumber()] = it->second;
      step.prepared = cast<EvaluableOpInterface>(step.op).prepare(operands);
    }
  });
}

FailureOr<Interpreter::Tensors> Interpreter::evaluateNear(const Step &step, const Tensors &operands,
                                                          const Values &trace,
                                                          const Perturbation &perturbation) const {
  EvaluationContext context{kernels};
  auto op = cast<EvaluableOpInterface>(step.op);
  auto hook = perturbation.states.find(step.op);
  bool isChanged = hook != perturbation.states.end();
  if (!isChanged)
    hook = base.states.find(step.op);
  if (isChanged || hook != base.states.end()) {
    if (hook->second)
      context.stateHook = hook->second;
    return op.evaluate(operands, context);
  }
  if (!step.prepared)
    return op.evaluate(operands, context);
  Tensors before = getOperands(step, trace);
  perturb(step.op, before, base, Perturbation());
  Tensors results = llvm::map_to_vector(step.results, [&](unsigned slot) { return trace[slot]; });
  return op.evaluateNear(operands, {before, results, step.prepared.get()}, context);
}

FailureOr<SmallVector<Tensor>> Interpreter::runPerturbed(const Values &trace,
                                                         const Perturbation &perturbation,
                                                         Values *perturbed) const {
  Values slots(trace);
  auto evaluateExactly = [&](const Step &step, const Tensors &operands) {
    auto hook = perturbation.states.find(step.op);
    EvaluationContext context{kernels};
    if (hook != perturbation.states.end() && hook->second)
      context.stateHook = hook->second;
    return cast<EvaluableOpInterface>(step.op).evaluate(operands, context);
  };
  if (failed(rerunSteps(slots, perturbation, Perturbation(), /*keepAll=*/perturbed != nullptr,
                        evaluateExactly)))
    return failure();
  SmallVector<Tensor> results = takeResults(slots);
  if (perturbed)
    *perturbed = std::move(slots);
  return results;
}

LogicalResult Interpreter::rerunSteps(
    Values &slots, const Perturbation &perturbation, const Perturbation &under, bool keepAll,
    llvm::function_ref<FailureOr<Tensors>(const Step &, const Tensors &)> evaluateStep,
    std::optional<unsigned> last) const {
  llvm::BitVector dirty(slots.size());
  for (const Step &step : steps) {
    bool depends = llvm::any_of(step.operands, [&](unsigned slot) { return dirty.test(slot); });
    if (!depends && !touches(perturbation, step.op, step.operands.size()))
      continue;
    Tensors operands = getOperands(step, slots);
    perturb(step.op, operands, perturbation, under);
    FailureOr<Tensors> results = evaluateStep(step, operands);
    if (failed(results))
      return failure();
    for (auto [slot, result] : llvm::zip_equal(step.results, *results)) {
      slots[slot] = std::move(result);
      dirty.set(slot);
    }
    if (last && llvm::is_contained(step.results, *last))
      break;
    if (!keepAll)
      for (unsigned slot : step.dead)
        slots[slot] = Tensor();
  }
  return success();
}

FailureOr<SmallVector<Tensor>> Interpreter::rerun(const Values &trace,
                                                  const Perturbation &perturbation) const {
  Values slots(trace);
  auto evaluateChanged = [&](const Step &step, const Tensors &operands) {
    return evaluateNear(step, operands, trace, perturbation);
  };
  if (failed(rerunSteps(slots, perturbation, base, /*keepAll=*/false, evaluateChanged)))
    return failure();
  return takeResults(slots);
}

static double sumSquaredDifferences(ArrayRef<float> a, ArrayRef<float> b) {
  double sum = 0;
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    double difference = static_cast<double>(x) - y;
    sum += difference * difference;
  }
  return sum;
}

FailureOr<double> Interpreter::measureLocalError(const Values &trace,
                                                 const Perturbation &perturbation) const {
  double sum = 0;
  for (const Step &step : steps) {
    if (!touches(perturbation, step.op, step.operands.size()))
      continue;
    Tensors operands = getOperands(step, trace);
    perturb(step.op, operands, perturbation, base);
    FailureOr<Tensors> results = evaluateNear(step, operands, trace, perturbation);
    if (failed(results))
      return failure();
    sum += sumSquaredDifferences(results->front().data<float>(),
                                 getValue(trace, step.op->getResult(0)).data<float>());
  }
  return sum;
}

FailureOr<double> Interpreter::measureErrorAt(Value cut, const Values &trace,
                                              const Perturbation &perturbation) const {
  Values slots(trace);
  auto evaluateChanged = [&](const Step &step, const Tensors &operands) {
    return evaluateNear(step, operands, trace, perturbation);
  };
  if (failed(rerunSteps(slots, perturbation, base, /*keepAll=*/false, evaluateChanged,
                        slotOf.lookup(cut))))
    return failure();
  return sumSquaredDifferences(getValue(slots, cut).data<float>(),
                               getValue(trace, cut).data<float>());
}
