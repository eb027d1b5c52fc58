//===- InterpreterProgram.h - The interpreter as a Program ------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_INTERPRETERPROGRAM_H
#define SSMQ_REFERENCE_INTERPRETERPROGRAM_H

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// @forward of a module, run by the interpreter. The module must outlive it.
class InterpreterProgram : public ::ssmq::Program {
public:
  /// Fails with a diagnostic when there is no @forward(inputs, states) -> (logits, states), or
  /// when the interpreter cannot run it.
  static FailureOr<std::unique_ptr<InterpreterProgram>>
  create(ModuleOp module, const WeightLookup &weights, ::ssmq::KernelOptions kernels);

  int64_t getVocabSize() const override { return signature.vocabSize; }
  int64_t getNumFeatures() const override { return signature.numFeatures; }
  int64_t getNumRows(int64_t numSteps) const override { return signature.getNumRows(numSteps); }
  const ::ssmq::ProgramSignature &getSignature() const { return signature; }
  /// How many steps must be fed at a time, where shapes fix that.
  std::optional<int64_t> getNumTokens() const { return signature.numTokens; }
  /// Whether a sequence may be fed in parts: states carry from one to the next.
  bool isIncremental() const { return !signature.states.empty() && !signature.numTokens; }
  llvm::Expected<::ssmq::ProgramState> createState(int64_t capacity) const override;
  using Program::forward;
  llvm::Expected<::ssmq::Tensor> forward(const ::ssmq::Tensor &inputs,
                                         ::ssmq::ProgramState &state) const override {
    return forward(inputs, state, /*trace=*/nullptr);
  }
  /// As above; `trace`, if given, receives all values for Interpreter::rerun.
  llvm::Expected<::ssmq::Tensor> forward(const ::ssmq::Tensor &inputs, ::ssmq::ProgramState &state,
                                         Interpreter::Values *trace) const;

  const Interpreter &getInterpreter() const { return *interpreter; }
  void setBase(Perturbation base) { interpreter->setBase(std::move(base)); }
  void prepareReruns(unsigned threads) { interpreter->prepareReruns(threads); }

private:
  InterpreterProgram() = default;

  ::ssmq::ProgramSignature signature;
  std::unique_ptr<Interpreter> interpreter;
};

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_INTERPRETERPROGRAM_H
