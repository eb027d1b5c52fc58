//===- LaunchKernel.h - The kernel of a launch ------------------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_LAUNCHKERNEL_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_LAUNCHKERNEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

namespace mlir::ssm {

/// Fails, with a diagnostic, at an op without a kernel.
LogicalResult checkLaunch(LaunchOp launch);

/// The function that launches the kernel of `launch` for buffers of these types: those of the
/// inputs, then of all results (of states: the input's). Launches of equal bodies share one.
/// Fails as checkLaunch does.
FailureOr<func::FuncOp> getLaunchFunction(LaunchOp launch, ModuleOp module, TypeRange buffers);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_LAUNCHKERNEL_H
