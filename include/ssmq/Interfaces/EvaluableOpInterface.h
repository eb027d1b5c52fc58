//===- EvaluableOpInterface.h - Ops with values on the host -----*- C++ -*-===//

#ifndef SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H
#define SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H

#include "mlir/IR/OpDefinition.h"
#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::ssm {

/// What an evaluation needs besides its operands: which kernels compute, and where the values of
/// weights (`ml_program.global`s) come from.
struct EvaluationContext {
  ::ssmq::KernelOptions kernels;
  /// The value of a global by symbol name; emits nothing, the caller reports the failure.
  llvm::function_ref<llvm::FailureOr<::ssmq::Tensor>(llvm::StringRef)> lookupWeight;
};

} // namespace mlir::ssm

#include "ssmq/Interfaces/EvaluableOpInterface.h.inc"

#endif // SSMQ_INTERFACES_EVALUABLEOPINTERFACE_H
