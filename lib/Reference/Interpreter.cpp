//===- Interpreter.cpp - Evaluates a function on host tensors -------------===//

#include "ssmq/Reference/Interpreter.h"

#include "WeightValue.h"
#include "mlir/IR/Diagnostics.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
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
      bool isCodes = value->getDType() == ::ssmq::DType::I8;
      constants[step.results.front()] = isCodes ? *value : value->toF32();
      step.constant = true;
      continue;
    }
    step.constant = llvm::all_of(step.operands, isConstant);
    if (step.constant) {
      if (failed(evaluate(step, constants, nullptr)))
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

LogicalResult Interpreter::evaluate(const Step &step, Values &slots,
                                    const llvm::BitVector *dirty) const {
  SmallVector<Tensor> operands;
  for (unsigned slot : step.operands)
    operands.push_back(slots[slot] ? slots[slot] : constants[slot]);
  if (step.dequantizedWeight) {
    unsigned weight = cast<QuantizableOpInterface>(step.op).getWeightOperand()->getOperandNumber();
    if (!dirty || !dirty->test(step.operands[weight]))
      operands[weight] = step.dequantizedWeight;
  }
  EvaluationContext context{kernels};
  FailureOr<SmallVector<Tensor>> results =
      cast<EvaluableOpInterface>(step.op).evaluate(operands, context);
  if (failed(results))
    return failure();
  for (auto [slot, result] : llvm::zip_equal(step.results, *results))
    slots[slot] = std::move(result);
  return success();
}

SmallVector<Tensor> Interpreter::takeResults(Values &slots) const {
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
    if (failed(evaluate(step, slots, nullptr)))
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

FailureOr<SmallVector<Tensor>> Interpreter::rerun(const Values &trace,
                                                  const Overrides &overrides) const {
  Values slots(trace);
  llvm::BitVector dirty(slots.size());
  for (const auto &[value, tensor] : overrides) {
    unsigned slot = slotOf.lookup(value);
    slots[slot] = tensor;
    dirty.set(slot);
  }
  for (const Step &step : steps) {
    bool depends = llvm::any_of(step.operands, [&](unsigned slot) { return dirty.test(slot); });
    if (!depends)
      continue;
    // An overridden result stays as it was given.
    SmallVector<std::pair<unsigned, Tensor>> kept;
    for (unsigned slot : step.results)
      if (dirty.test(slot))
        kept.emplace_back(slot, slots[slot]);
    if (failed(evaluate(step, slots, &dirty)))
      return failure();
    for (auto &[slot, tensor] : kept)
      slots[slot] = std::move(tensor);
    for (unsigned slot : step.results)
      dirty.set(slot);
    for (unsigned slot : step.dead)
      slots[slot] = Tensor();
  }
  return takeResults(slots);
}

Tensor Interpreter::getConstant(Value value) const {
  auto slot = slotOf.find(value);
  return slot == slotOf.end() ? Tensor() : constants[slot->second];
}
