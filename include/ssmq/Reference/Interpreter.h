//===- Interpreter.h - Evaluates a function on host tensors -----*- C++ -*-===//
//
// The interpreter evaluates a single-block function op by op through EvaluableOpInterface. The
// function is numbered once: every SSA value is a slot, every op a step. Steps that depend on
// weights alone are evaluated when the interpreter is made. A run can keep all its values (a
// trace); `rerun` then replaces some values and evaluates only the steps that depend on them,
// which is what makes a sensitivity sweep cheap.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFERENCE_INTERPRETER_H
#define SSMQ_REFERENCE_INTERPRETER_H

#include "mlir/IR/Value.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"
#include <functional>
#include <memory>
#include <vector>

namespace mlir {
class DialectRegistry;
}

namespace mlir::ssm {

/// Gives the value of a weight by its symbol name; the error is a message for the user.
using WeightLookup = std::function<llvm::Expected<::ssmq::Tensor>(StringRef)>;

/// Attaches EvaluableOpInterface to the ssm ops and to the ops of arith, math, tensor and
/// ml_program that programs are made of.
void registerEvaluableModels(DialectRegistry &registry);

class Interpreter {
public:
  using Values = std::vector<::ssmq::Tensor>;
  using Overrides = llvm::SmallDenseMap<Value, ::ssmq::Tensor, 4>;

  /// Fails with a diagnostic when the function has several blocks, an op without
  /// EvaluableOpInterface, or a weight that is missing.
  static FailureOr<std::unique_ptr<Interpreter>>
  create(FunctionOpInterface function, const WeightLookup &weights, ::ssmq::KernelOptions kernels);

  /// Evaluates the function; `trace`, if given, receives the value of every slot.
  FailureOr<SmallVector<::ssmq::Tensor>> run(ArrayRef<::ssmq::Tensor> arguments,
                                             Values *trace = nullptr) const;

  /// The results with the given values in place of those that `trace` holds. Only steps that
  /// depend on an override are evaluated.
  FailureOr<SmallVector<::ssmq::Tensor>> rerun(const Values &trace,
                                               const Overrides &overrides) const;

  FunctionOpInterface getFunction() const { return function; }
  /// The value of a weight, or of anything that depends on weights alone, as f32; null otherwise.
  ::ssmq::Tensor getConstant(Value value) const;

private:
  struct Step {
    Operation *op;
    SmallVector<unsigned> operands, results;
    /// Slots that no later step reads.
    SmallVector<unsigned> dead;
    /// The float weight of an op whose weight is quantized and constant, so that it is
    /// dequantized once.
    ::ssmq::Tensor dequantizedWeight;
    bool constant = false;
  };

  Interpreter(FunctionOpInterface function, ::ssmq::KernelOptions kernels)
      : function(function), kernels(kernels) {}
  LogicalResult number();
  LogicalResult evaluateConstants(const WeightLookup &weights);
  LogicalResult evaluate(const Step &step, Values &slots, const llvm::BitVector *dirty) const;
  SmallVector<::ssmq::Tensor> takeResults(Values &slots) const;

  FunctionOpInterface function;
  ::ssmq::KernelOptions kernels;
  std::vector<Step> steps;
  llvm::DenseMap<Value, unsigned> slotOf;
  SmallVector<unsigned> resultSlots;
  /// Values that depend on weights alone; null elsewhere.
  Values constants;
};

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_INTERPRETER_H
