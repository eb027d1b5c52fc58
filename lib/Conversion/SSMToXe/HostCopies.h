//===- HostCopies.h - Copies of buffers by the device -----------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::ssm {

/// Copies and stores of the host become calls of ssmq_xe_copy and ssmq_xe_store
/// (Runtime/OpenCL/Launch.h): it must not read what kernels are still writing, nor write into
/// memory whose last use they have not come to. Fails at buffers that are not contiguous.
LogicalResult convertCopies(ModuleOp module);

/// The address of a buffer's first element, in an address space.
Value getStart(ImplicitLocOpBuilder &b, Value buffer, unsigned addressSpace = 0);
/// A function of the runtime that returns nothing, declared when it is first asked for.
LLVM::LLVMFuncOp getRuntime(ImplicitLocOpBuilder &b, ModuleOp module, StringRef name,
                            ArrayRef<Type> inputs);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_HOSTCOPIES_H
