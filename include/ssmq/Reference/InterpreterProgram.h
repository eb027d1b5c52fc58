//===- InterpreterProgram.h - The interpreter as a Program ------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_INTERPRETERPROGRAM_H
#define SSMQ_REFERENCE_INTERPRETERPROGRAM_H

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"
#include "ssmq/Reference/Interpreter.h"

namespace mlir::ssm {

/// @forward of a module, run by the interpreter. The module must outlive it.
class InterpreterProgram : public ::ssmq::Program {
public:
  /// Fails with a diagnostic when there is no @forward(tokens, states) -> (logits, states), or
  /// when the interpreter cannot run it.
  static FailureOr<std::unique_ptr<InterpreterProgram>>
  create(ModuleOp module, const WeightLookup &weights, ::ssmq::KernelOptions kernels);

  int64_t getVocabSize() const override { return signature.vocabSize; }
  /// How many tokens must be fed at a time, where shapes fix that.
  std::optional<int64_t> getNumTokens() const { return signature.numTokens; }
  /// Whether a sequence may be fed in parts: states carry from one to the next.
  bool isIncremental() const { return !signature.states.empty() && !signature.numTokens; }
  llvm::Expected<::ssmq::ProgramState> createState(int64_t capacity) const override;
  llvm::Expected<::ssmq::Tensor> forward(ArrayRef<int32_t> tokens,
                                         ::ssmq::ProgramState &state) const override {
    return forward(tokens, state, /*trace=*/nullptr);
  }
  /// As above; `trace`, if given, receives all values for Interpreter::rerun.
  llvm::Expected<::ssmq::Tensor> forward(ArrayRef<int32_t> tokens, ::ssmq::ProgramState &state,
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
