//===- CalibrationRun.cpp - All sequences, one op at a time ---------------===//

#include "ssmq/Analysis/CalibrationRun.h"

#include "mlir/IR/Diagnostics.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/Support/Threading.h"
#include <unistd.h>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Tensor;

/// What an op reads, in the order in which it is evaluated on it.
static SmallVector<Value> getReadValues(Operation *op) {
  SmallVector<Value> read(op->getOperands());
  llvm::append_range(read, getCapturedValues(op));
  return read;
}

static Block &getBody(const Interpreter &interpreter) {
  FunctionOpInterface function = interpreter.getFunction();
  return function.getFunctionBody().front();
}

static bool isConstant(const Interpreter &interpreter, Operation *op) {
  return llvm::all_of(op->getResults(),
                      [&](Value result) { return bool(interpreter.getConstant(result)); });
}

static llvm::DenseMap<Value, Operation *> findLastReaders(Block &body) {
  llvm::DenseMap<Value, Operation *> last;
  for (Operation &op : body.without_terminator())
    for (Value value : getReadValues(&op))
      last[value] = &op;
  return last;
}

/// About the bytes that a run takes beside the program's weights.
static int64_t estimateMemory(const InterpreterProgram &program,
                              ArrayRef<::ssmq::Sequence> sequences) {
  const Interpreter &interpreter = program.getInterpreter();
  Block &body = getBody(interpreter);
  int64_t tokens = 0, count = sequences.size();
  for (const ::ssmq::Sequence &sequence : sequences)
    tokens += sequence.getNumSteps();
  auto getBytes = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return int64_t(0);
    int64_t elements = type.hasStaticShape() ? count : tokens;
    for (int64_t dim : type.getShape())
      elements *= ShapedType::isDynamic(dim) ? 1 : dim;
    return elements * int64_t(sizeof(float));
  };
  llvm::DenseMap<Value, Operation *> last = findLastReaders(body);
  int64_t alive = 0, most = 0;
  for (Value argument : body.getArguments())
    alive += getBytes(argument);
  for (Operation &op : body.without_terminator()) {
    if (isConstant(interpreter, &op))
      continue;
    for (Value result : op.getResults())
      alive += getBytes(result);
    most = std::max(most, alive);
    for (Value result : op.getResults())
      if (!last.contains(result))
        alive -= getBytes(result);
    for (Value value : getReadValues(&op))
      if (auto it = last.find(value); it != last.end() && it->second == &op) {
        if (!interpreter.getConstant(value))
          alive -= getBytes(value);
        last.erase(it);
      }
  }
  return most;
}

Expected<CalibrationRun> CalibrationRun::create(const InterpreterProgram &program,
                                                ArrayRef<::ssmq::Sequence> sequences,
                                                unsigned threads) {
  double needed = static_cast<double>(estimateMemory(program, sequences)) / 1e9;
  double present = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                   static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e9;
  if (needed > present)
    return ::ssmq::makeError("the calibration needs about {0:F1} GB and this machine has {1:F1}; "
                             "fewer sequences need less",
                             needed, present);
  CalibrationRun run(program, threads);
  Block &body = getBody(*run.interpreter);
  auto number = [&](Value value) { run.slotOf.try_emplace(value, run.slotOf.size()); };
  llvm::for_each(body.getArguments(), number);
  for (Operation &op : body.without_terminator())
    llvm::for_each(op.getResults(), number);
  run.lastReader = findLastReaders(body);
  for (const ::ssmq::Sequence &sequence : sequences) {
    Expected<::ssmq::ProgramState> state = program.createState(sequence.getNumSteps());
    if (!state)
      return state.takeError();
    if (Error error = ::ssmq::checkInputs(program.getSignature(), sequence.inputs))
      return std::move(error);
    SmallVector<Tensor, 0> &slots = run.values.emplace_back(run.slotOf.size());
    slots[0] = sequence.inputs;
    llvm::copy(state->values, slots.begin() + 1);
  }
  return run;
}

Tensor CalibrationRun::getValue(size_t sequence, Value value) const {
  const Tensor &known = values[sequence][slotOf.lookup(value)];
  return known ? known : interpreter->getConstant(value);
}

bool CalibrationRun::isRead(Value value) const { return lastReader.contains(value); }

Error CalibrationRun::evaluate(Operation *op, SmallVectorImpl<Tensor> &slots) const {
  SmallVector<Tensor> operands;
  for (Value value : getReadValues(op)) {
    const Tensor &known = slots[slotOf.lookup(value)];
    operands.push_back(known ? known : interpreter->getConstant(value));
  }
  for (OpOperand &operand : op->getOpOperands())
    if (auto it = replaced.find(&operand); it != replaced.end())
      operands[operand.getOperandNumber()] = it->second;
  // Ops report faults to the diagnostic engine; this run gives them as an error instead.
  std::string message;
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &fault) {
    if (llvm::get_threadid() != thread)
      return failure(); // of a sequence on another thread
    message += fault.str();
    return success();
  });
  FailureOr<SmallVector<Tensor>> results =
      cast<EvaluableOpInterface>(op).evaluate(operands, EvaluationContext{});
  if (failed(results))
    return llvm::createStringError(message);
  for (auto [result, value] : llvm::zip_equal(op->getResults(), *results))
    if (lastReader.contains(result))
      slots[slotOf.lookup(result)] = value;
  return Error::success();
}

Error CalibrationRun::evaluate(Operation *op) {
  std::vector<std::string> faults(values.size());
  ::ssmq::parallelFor(threads, values.size(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      if (Error error = evaluate(op, values[i]))
        faults[i] = llvm::toString(std::move(error)) + " in sequence " + std::to_string(i);
  });
  for (const std::string &fault : faults)
    if (!fault.empty())
      return llvm::createStringError(fault);
  return Error::success();
}

Error CalibrationRun::run(llvm::function_ref<Expected<bool>(Operation *)> visit) {
  for (Operation &op : getBody(*interpreter).without_terminator()) {
    if (isConstant(*interpreter, &op))
      continue;
    Expected<bool> goOn = visit(&op);
    if (!goOn)
      return goOn.takeError();
    if (!*goOn)
      return Error::success();
    if (Error error = evaluate(&op))
      return error;
    for (Value value : getReadValues(&op)) {
      auto last = lastReader.find(value);
      if (last == lastReader.end() || last->second != &op)
        continue;
      lastReader.erase(last);
      for (SmallVector<Tensor, 0> &slots : values)
        slots[slotOf.lookup(value)] = Tensor();
    }
  }
  return Error::success();
}
