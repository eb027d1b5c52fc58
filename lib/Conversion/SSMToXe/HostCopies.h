//===- HostCopies.h - Copies of buffers by the device -----------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::ssm {

/// Copies become calls of ssmq_xe_copy (Runtime/OpenCL/Launch.h): the host must not read what
/// kernels are still writing. Fails at buffers that are not contiguous.
LogicalResult convertCopies(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H
