//===- InterpreterProgram.cpp - The interpreter as a Program --------------===//

#include "ssmq/Reference/InterpreterProgram.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::ProgramState;
using ::ssmq::Tensor;

FailureOr<std::unique_ptr<InterpreterProgram>>
InterpreterProgram::create(ModuleOp module, const WeightLookup &weights,
                           ::ssmq::KernelOptions kernels) {
  llvm::Expected<::ssmq::ProgramSignature> signature = ::ssmq::readSignature(module);
  if (!signature) {
    emitError(module.getLoc()) << llvm::toString(signature.takeError());
    return failure();
  }
  auto function = cast<FunctionOpInterface>(module.lookupSymbol("forward"));
  if (function.isExternal() || function.getNumResults() != function.getNumArguments())
    return function->emitOpError("is not a program on tensors: it needs a body and one result "
                                 "for the logits and for each state");
  FailureOr<std::unique_ptr<Interpreter>> interpreter =
      Interpreter::create(function, weights, kernels);
  if (failed(interpreter))
    return failure();
  std::unique_ptr<InterpreterProgram> program(new InterpreterProgram());
  program->signature = std::move(*signature);
  program->interpreter = std::move(*interpreter);
  return program;
}

llvm::Expected<ProgramState> InterpreterProgram::createState(int64_t capacity) const {
  return ::ssmq::createZeroState(signature, capacity);
}

llvm::Expected<Tensor> InterpreterProgram::forward(const Tensor &inputs, ProgramState &state,
                                                   Interpreter::Values *trace) const {
  if (llvm::Error error = ::ssmq::checkFeed(signature, inputs, state))
    return std::move(error);
  SmallVector<Tensor> arguments{inputs};
  llvm::append_range(arguments, state.values);
  // Ops report faults to the diagnostic engine; a Program gives them as an error instead.
  std::string message;
  FunctionOpInterface function = interpreter->getFunction();
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler handler(function->getContext(), [&](Diagnostic &fault) {
    if (llvm::get_threadid() != thread)
      return failure(); // of a sequence on another thread
    message += fault.str();
    return success();
  });
  FailureOr<SmallVector<Tensor>> results = interpreter->run(arguments, trace);
  if (failed(results))
    return llvm::createStringError(message);
  Tensor logits = results->front();
  state.values.assign(std::next(results->begin()), results->end());
  state.length += inputs.getDim(0);
  return logits;
}
