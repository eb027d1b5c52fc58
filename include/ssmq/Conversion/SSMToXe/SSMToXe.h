//===- SSMToXe.h - Kernels for Xe GPUs --------------------------*- C++ -*-===//
//
// Each `ssm.launch` bufferizes to a call of a private function that takes the buffers of its
// inputs and of its results and launches one kernel (gpu.func) with pointers to them and the number
// of tokens. Kernels are code of one work-item, in sub-groups of 16 (arith, math, scf, llvm,
// xegpu).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_CONVERSION_SSMTOXE_SSMTOXE_H
#define SSMQ_CONVERSION_SSMTOXE_SSMTOXE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

namespace mlir {
class DialectRegistry;
class ModuleOp;
} // namespace mlir

namespace mlir::ssm {

/// Attribute (bool) of a module whose kernels may use dpas and 2-D block loads; without it they
/// may.
inline constexpr llvm::StringLiteral kDpasAttrName = "ssm.dpas";

/// The SPIR-V of the kernels of a module that --ssmq-host-launches left; empty where there are
/// none.
StringRef getKernelSpirv(ModuleOp lowered);

/// Attaches BufferizableOpInterface to `ssm.launch`.
void registerLaunchBufferization(DialectRegistry &registry);

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_SSMTOXE_SSMTOXE_H
