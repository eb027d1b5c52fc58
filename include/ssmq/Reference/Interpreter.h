//===- Interpreter.h - Evaluates a function on host tensors -----*- C++ -*-===//
//
// The interpreter evaluates a single-block function op by op through EvaluableOpInterface. The
// function is numbered once: every SSA value is a slot, every op a step. Steps that depend on
// weights alone are evaluated when the interpreter is made. A run can keep all its values (a
// trace); `rerun` then replaces what some operands read and evaluates only the steps that depend on
// them, which is what makes a sensitivity sweep cheap. After `prepareReruns` it also evaluates them
// by what changed (EvaluableOpInterface::evaluateNear).
//
// A base is a perturbation under which all reruns stand: traces are then of the program under it
// (runPerturbed), and a rerun costs no more than without one.
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
#include <optional>
#include <vector>

namespace mlir {
class DialectRegistry;
}

namespace mlir::ssm {

class PostDominators;
class PreparedOperands;

/// Gives the value of a weight by its symbol name; the error is a message for the user.
using WeightLookup = std::function<llvm::Expected<::ssmq::Tensor>(StringRef)>;

/// Attaches EvaluableOpInterface to the ssm ops and to the ops of arith, math, tensor and
/// ml_program that programs are made of.
void registerEvaluableModels(DialectRegistry &registry);

/// What is different in a rerun. Functions that are null leave as it is what a base changes.
struct Perturbation {
  /// Read by these operands in the place of their values.
  llvm::SmallDenseMap<OpOperand *, ::ssmq::Tensor, 4> operands;
  /// What these operands make of their values; an operand is here or in `operands`, not in both.
  llvm::SmallDenseMap<OpOperand *, std::function<::ssmq::Tensor(const ::ssmq::Tensor &)>, 1> values;
  /// Applied to the states of these ops after each token.
  llvm::SmallDenseMap<Operation *, std::function<void(llvm::MutableArrayRef<float>)>, 1> states;

  bool isEmpty() const { return operands.empty() && values.empty() && states.empty(); }
};

class Interpreter {
public:
  using Values = std::vector<::ssmq::Tensor>;

  /// Fails with a diagnostic when the function has several blocks, an op without
  /// EvaluableOpInterface, or a weight that is missing.
  static FailureOr<std::unique_ptr<Interpreter>>
  create(FunctionOpInterface function, const WeightLookup &weights, ::ssmq::KernelOptions kernels);

  /// Evaluates the function; `trace`, if given, receives the value of every slot.
  FailureOr<SmallVector<::ssmq::Tensor>> run(ArrayRef<::ssmq::Tensor> arguments,
                                             Values *trace = nullptr) const;

  /// Lets reruns carry changes in bytes: right to about 1e-3 of their energy, and several times
  /// faster. Takes a byte a weight of memory. Without it reruns are as exact as runs.
  void prepareReruns(unsigned threads);

  /// Sets what later reruns stand on; to be followed by prepareReruns where these shall carry
  /// changes in bytes.
  void setBase(Perturbation perturbation);
  const Perturbation &getBase() const { return base; }

  /// The results of the program under a perturbation, from the trace of a run without base, as
  /// exact as a run; `perturbed`, if given, receives all values.
  FailureOr<SmallVector<::ssmq::Tensor>> runPerturbed(const Values &trace,
                                                      const Perturbation &perturbation,
                                                      Values *perturbed = nullptr) const;

  /// The results under a perturbation of the run that `trace` holds. Only steps that depend on it
  /// are evaluated.
  FailureOr<SmallVector<::ssmq::Tensor>> rerun(const Values &trace,
                                               const Perturbation &perturbation) const;
  /// Summed squares of what the first results of the perturbed ops themselves differ by.
  FailureOr<double> measureLocalError(const Values &trace, const Perturbation &perturbation) const;
  /// The first value of the residual stream (more exactly, of the trunk of PostDominators.h) that
  /// all flow from the perturbed operands to the first result passes; null if there is none.
  Value findCut(ArrayRef<OpOperand *> changed) const;
  /// Summed squares of what the value of a cut differs by.
  FailureOr<double> measureErrorAt(Value cut, const Values &trace,
                                   const Perturbation &perturbation) const;

  /// About the time of a rerun for each token, in units of its own, when these operands change.
  double estimateRerunWork(ArrayRef<OpOperand *> changed) const;

  /// About the bytes that a run of `tokens` tokens with its values kept and `threads` reruns at a
  /// time take, weights included.
  int64_t estimateRerunMemory(int64_t tokens, unsigned threads, bool inBytes) const;

  FunctionOpInterface getFunction() const { return function; }
  /// The value of a weight, or of anything that depends on weights alone, as f32; null otherwise.
  ::ssmq::Tensor getConstant(Value value) const;
  /// The value in a run, or the constant one.
  ::ssmq::Tensor getValue(const Values &trace, Value value) const;

private:
  struct Step {
    Operation *op;
    SmallVector<unsigned> operands, results;
    /// Slots that no later step reads.
    SmallVector<unsigned> dead;
    /// The float weight of an op whose weight is quantized and constant, so that it is
    /// dequantized once.
    ::ssmq::Tensor dequantizedWeight;
    std::shared_ptr<const PreparedOperands> prepared;
    bool constant = false;
  };
  using Tensors = SmallVector<::ssmq::Tensor>;

  Interpreter(FunctionOpInterface function, ::ssmq::KernelOptions kernels)
      : function(function), kernels(kernels) {}
  LogicalResult number();
  LogicalResult evaluateConstants(const WeightLookup &weights);
  /// What the operands of a step read: slots, or constants.
  Tensors getOperands(const Step &step, const Values &slots) const;
  LogicalResult evaluate(const Step &step, Values &slots) const;
  FailureOr<Tensors> evaluateNear(const Step &step, const Tensors &operands, const Values &trace,
                                  const Perturbation &perturbation) const;
  /// Evaluates the steps that depend on the perturbation of a program under another one; all, or
  /// those up to the one that makes the slot `last`.
  LogicalResult
  rerunSteps(Values &slots, const Perturbation &perturbation, const Perturbation &under,
             bool keepAll,
             llvm::function_ref<FailureOr<Tensors>(const Step &, const Tensors &)> evaluateStep,
             std::optional<unsigned> last = std::nullopt) const;
  /// The slots of values that depend on weights alone and that the base changes.
  llvm::BitVector findChangedConstants() const;
  Tensors takeResults(Values &slots) const;
  void findPostDominators();

  FunctionOpInterface function;
  ::ssmq::KernelOptions kernels;
  std::vector<Step> steps;
  llvm::DenseMap<Value, unsigned> slotOf;
  SmallVector<unsigned> resultSlots;
  /// Values that depend on weights alone; null elsewhere.
  Values constants;
  Perturbation base;
  std::shared_ptr<const PostDominators> postDominators;
};

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_INTERPRETER_H
