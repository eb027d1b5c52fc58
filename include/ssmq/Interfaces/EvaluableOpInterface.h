//===- EvaluableOpInterface.h - Ops with values on the host -----*- C++ -*-===//

#ifndef SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H
#define SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H

#include "mlir/IR/OpDefinition.h"
#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace mlir::ssm {

/// What an evaluation needs besides its operands.
struct EvaluationContext {
  ::ssmq::KernelOptions kernels;
};

} // namespace mlir::ssm

#include "ssmq/Interfaces/EvaluableOpInterface.h.inc"

#endif // SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H
