//===- Passes.h - Kernel generation -----------------------------*- C++ -*-===//

#ifndef SSMQ_CONVERSION_SSMTOXE_PASSES_H
#define SSMQ_CONVERSION_SSMTOXE_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"

namespace mlir::ssm {

#define GEN_PASS_DECL
#include "ssmq/Conversion/SSMToXe/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "ssmq/Conversion/SSMToXe/Passes.h.inc"

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_SSMTOXE_PASSES_H
