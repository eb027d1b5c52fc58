//===- Interpreter.cpp - Evaluates a function on host tensors -------------===//

#include "ssmq/Reference/Interpreter.h"

#include "mlir/IR/Diagnostics.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "ssmq/Reference/WeightValue.h"
#include "llvm/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Tensor;

FailureOr<std::unique_ptr<Interpreter>> Interpreter::create(FunctionOpInterface function,
                                                            const WeightLookup &weights,
                                                            ::ssmq::KernelOptions kernels) {
  std::unique_ptr<Interpreter> interpreter(new Interpreter(function, kernels));
  if (failed(interpreter->number()) || failed(interpreter->evaluateConstants(weights)))
    return failure();
  interpreter->findPostDominators();
  return interpreter;
}

LogicalResult Interpreter::number() {
  Region &body = function.getFunctionBody();
  if (!llvm::hasSingleElement(body))
    return function->emitOpError("has ")
           << body.getBlocks().size() << " blocks; the interpreter runs functions of one block";
  auto slot = [&](Value value) {
    return slotOf.try_emplace(value, static_cast<unsigned>(slotOf.size())).first->second;
  };
  for (BlockArgument argument : body.getArguments())
    slot(argument);
  for (Operation &op : body.front().without_terminator()) {
    if (!isa<EvaluableOpInterface>(op))
      return op.emitOpError("cannot be evaluated: it has no EvaluableOpInterface");
    Step &step = steps.emplace_back();
    step.op = &op;
    for (Value operand : op.getOperands())
      step.operands.push_back(slot(operand));
    for (Value captured : getCapturedValues(&op))
      step.operands.push_back(slot(captured));
    for (Value result : op.getResults())
      step.results.push_back(slot(result));
  }
  llvm::BitVector live(slotOf.size());
  for (Value result : body.front().getTerminator()->getOperands()) {
    resultSlots.push_back(slot(result));
    live.set(resultSlots.back());
  }
  for (Step &step : llvm::reverse(steps)) {
    for (unsigned result : step.results)
      if (!live.test(result))
        step.dead.push_back(result);
    for (unsigned operand : step.operands)
      if (!live.test(operand)) {
        live.set(operand);
        step.dead.push_back(operand);
      }
  }
  return success();
}

LogicalResult Interpreter::evaluateConstants(const WeightLookup &weights) {
  constants.resize(slotOf.size());
  auto isConstant = [&](unsigned slot) { return static_cast<bool>(constants[slot]); };
  for (Step &step : steps) {
    if (auto load = dyn_cast<ml_program::GlobalLoadConstOp>(step.op)) {
      FailureOr<Tensor> value = getWeightValue(load, weights);
      if (failed(value))
        return failure();
      // Widening is exact; codes stay as they are.
      bool isInteger =
          value->getDType() == ::ssmq::DType::I8 || value->getDType() == ::ssmq::DType::I32;
      constants[step.results.front()] = isInteger ? *value : value->toF32();
      step.constant = true;
      continue;
    }
    step.constant = llvm::all_of(step.operands, isConstant);
    if (step.constant) {
      if (failed(evaluate(step, constants)))
        return failure();
      continue;
    }
    auto quantizable = dyn_cast<QuantizableOpInterface>(step.op);
    if (!quantizable || !quantizable.isWeightQuantized())
      continue;
    SmallVector<Tensor> operands;
    for (unsigned slot : step.operands)
      operands.push_back(constants[slot]);
    step.dequantizedWeight = dequantizeWeight(step.op, operands);
  }
  return success();
}

Interpreter::Tensors Interpreter::getOperands(const Step &step, const Values &slots) const {
  Tensors operands = llvm::map_to_vector(
      step.operands, [&](unsigned slot) { return slots[slot] ? slots[slot] : constants[slot]; });
  if (step.dequantizedWeight)
    operands[cast<QuantizableOpInterface>(step.op).getWeightOperand()->getOperandNumber()] =
        step.dequantizedWeight;
  return operands;
}

LogicalResult Interpreter::evaluate(const Step &step, Values &slots) const {
  FailureOr<Tensors> results =
      cast<EvaluableOpInterface>(step.op).evaluate(getOperands(step, slots), {kernels});
  if (failed(results))
    return failure();
  for (auto [slot, result] : llvm::zip_equal(step.results, *results))
    slots[slot] = std::move(result);
  return success();
}

Interpreter::Tensors Interpreter::takeResults(Values &slots) const {
  return llvm::map_to_vector(
      resultSlots, [&](unsigned slot) { return slots[slot] ? slots[slot] : constants[slot]; });
}

FailureOr<SmallVector<Tensor>> Interpreter::run(ArrayRef<Tensor> arguments, Values *trace) const {
  Values slots(slotOf.size());
  // Arguments are numbered first.
  FunctionOpInterface callee = function;
  if (arguments.size() != callee.getNumArguments())
    return callee->emitOpError("takes ")
           << callee.getNumArguments() << " arguments, but " << arguments.size() << " were given";
  llvm::copy(arguments, slots.begin());
  for (const Step &step : steps) {
    if (step.constant)
      continue;
    if (failed(evaluate(step, slots)))
      return failure();
    if (!trace)
      for (unsigned slot : step.dead)
        slots[slot] = Tensor();
  }
  SmallVector<Tensor> results = takeResults(slots);
  if (trace)
    *trace = std::move(slots);
  return results;
}

/// In nanoseconds on one core of 2024: what a product and what a loop over elements take.
static double estimateWork(Operation *op, bool inBytes) {
  auto count = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    double elements = 1;
    for (int64_t dim : type ? type.getShape() : ArrayRef<int64_t>())
      elements *= ShapedType::isDynamic(dim) ? 1 : static_cast<double>(dim);
    return elements;
  };
  double work = 0;
  for (Value result : op->getResults())
    work += count(result);
  if (auto quantizable = dyn_cast<QuantizableOpInterface>(op))
    if (OpOperand *weight = quantizable.getWeightOperand())
      work += count(weight->get()) * (inBytes ? 2.0 / 350 : 2.0 / 100);
  return work;
}

double Interpreter::estimateRerunWork(ArrayRef<OpOperand *> changed) const {
  llvm::BitVector dirty(slotOf.size());
  double work = 0;
  for (const Step &step : steps) {
    bool depends =
        llvm::any_of(step.operands, [&](unsigned slot) { return dirty.test(slot); }) ||
        llvm::any_of(changed, [&](OpOperand *use) { return step.op->isAncestor(use->getOwner()); });
    if (!depends)
      continue;
    work += estimateWork(step.op, step.prepared != nullptr);
    for (unsigned slot : step.results)
      dirty.set(slot);
  }
  return work;
}

int64_t Interpreter::estimateRerunMemory(int64_t tokens, unsigned threads, bool inBytes) const {
  int64_t weights = 0, trace = 0, largest = 0;
  for (const Tensor &constant : constants)
    weights += constant ? constant.getNumElements() : 0;
  for (const Step &step : steps)
    for (Value result : step.op->getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()); type && !step.constant) {
        int64_t elements = 1;
        for (int64_t dim : type.getShape())
          elements *= ShapedType::isDynamic(dim) ? tokens : dim;
        trace += elements;
        largest = std::max(largest, elements);
      }
  int64_t perValue = sizeof(float);
  // Logits are the largest value: a rerun holds the teacher's change and its own, and what a
  // changed weight takes.
  int64_t perThread = (3 * largest + trace / 4) * perValue;
  constexpr int64_t rest = int64_t(1) << 27; // code, buffers kept for later, the table
  return weights * (perValue + inBytes) + trace * perValue + threads * perThread + rest;
}

Tensor Interpreter::getConstant(Value value) const {
  auto slot = slotOf.find(value);
  return slot == slotOf.end() ? Tensor() : constants[slot->second];
}

Tensor Interpreter::getValue(const Values &trace, Value value) const {
  auto slot = slotOf.find(value);
  if (slot == slotOf.end())
    return Tensor();
  return trace[slot->second] ? trace[slot->second] : constants[slot->second];
}
