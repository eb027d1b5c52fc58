//===- HostCopies.h - Copies of buffers by the device -----------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::ssm {

/// Copies and stores of the host become calls of ssmq_xe_copy and ssmq_xe_store
/// (Runtime/OpenCL/Launch.h): it must not read what kernels are still writing, nor write into
/// memory whose last use they have not come to. Fails at buffers that are not contiguous.
LogicalResult convertCopies(ModuleOp module);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H
