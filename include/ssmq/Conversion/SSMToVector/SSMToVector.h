//===- SSMToVector.h - Kernels for the ops of the ssm dialect ---*- C++ -*-===//
//
// Every ssm op bufferizes to a call of a private kernel function (scf, vector, memref and OpenMP)
// that takes the buffers of its operands and of its results; ops of equal attributes and buffer
// types share one. Activations keep their strides, so that slices are read in place; states are
// updated in place.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_CONVERSION_SSMTOVECTOR_SSMTOVECTOR_H
#define SSMQ_CONVERSION_SSMTOVECTOR_SSMTOVECTOR_H

#include "mlir/Support/LLVM.h"
#include "ssmq/Support/Target.h"
#include "llvm/ADT/StringRef.h"

namespace mlir {
class DialectRegistry;
class ModuleOp;
} // namespace mlir

namespace mlir::ssm {

/// What kernels are made for; carried by the module as the attribute `ssm.kernel_target`.
struct KernelTarget {
  static constexpr llvm::StringLiteral kAttrName = "ssm.kernel_target";

  /// f32 lanes of a vector, a power of two.
  int64_t vectorWidth = 8;
  /// Whether loops may run on OpenMP threads.
  bool threads = true;
  /// Products of bytes in integer kernels.
  ::ssmq::DotKind dot = ::ssmq::DotKind::None;
  /// Work below which a loop stays on its thread, in units of about 1/64 ns of one thread: a
  /// multiply-add, or half a byte that is read from memory.
  int64_t minParallelWork = 98304;
  /// Whether float weights meet several tokens in a call of `ssmq_gemm` (Runtime/Gemm.h).
  bool gemmLibrary = false;
  /// Whether threads fetch pieces of a loop as they finish, so that slow cores do not hold fast
  /// ones; else each has an equal share.
  bool dynamicSchedule = false;

  /// The module's, or the above.
  static KernelTarget get(ModuleOp module);
  void set(ModuleOp module) const;
};

/// Attaches BufferizableOpInterface to all ops of the dialect.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_SSMTOVECTOR_SSMTOVECTOR_H
