//===- GemmCall.h - Calls of the runtime's matrix product -------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_GEMMCALL_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_GEMMCALL_H

#include "KernelBuilder.h"

namespace mlir::ssm {

/// result = input weightᵀ + bias by `ssmq_gemm`; the bias may be null.
void emitGemmCall(KernelBuilder &k, Value input, Value weight, Value bias, Value result);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_GEMMCALL_H
