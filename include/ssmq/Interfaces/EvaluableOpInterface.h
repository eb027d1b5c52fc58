//===- EvaluableOpInterface.h - Ops with values on the host -----*- C++ -*-===//

#ifndef SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H
#define SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H

#include "mlir/IR/OpDefinition.h"
#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"
#include <memory>

namespace mlir::ssm {

/// What an evaluation needs besides its operands.
struct EvaluationContext {
  ::ssmq::KernelOptions kernels;
  /// Called by an op with a state after each token, on what it stores; null if nobody asks.
  ::ssmq::StateHook stateHook = nullptr;
};

/// What an op keeps of its constant operands, to be evaluated faster near a known run.
class PreparedOperands {
public:
  virtual ~PreparedOperands() = default;
};

/// An evaluation of the same op on other values.
struct KnownEvaluation {
  ArrayRef<::ssmq::Tensor> operands, results;
  /// What `prepare` gave; may be null.
  const PreparedOperands *prepared = nullptr;
};

/// The values that the regions of an op read from outside, such as a table that the body of a
/// linalg.generic looks numbers up in. An op is evaluated with their values behind its operands'.
SmallVector<Value> getCapturedValues(Operation *op);

} // namespace mlir::ssm

#include "ssmq/Interfaces/EvaluableOpInterface.h.inc"

#endif // SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H
