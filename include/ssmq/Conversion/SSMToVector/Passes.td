//===- Passes.td - Kernel generation --------------------------*- tablegen -*-===//

#ifndef SSMQ_CONVERSION_SSMTOVECTOR_PASSES
#define SSMQ_CONVERSION_SSMTOVECTOR_PASSES

include "mlir/Pass/PassBase.td"

def SetKernelTarget : Pass<"ssmq-set-kernel-target", "::mlir::ModuleOp"> {
  let summary = "state what kernels are generated for";
  let description = [{
    Sets the module attribute `ssm.kernel_target`, which the bufferization of ssm ops reads. Fails
    at an op with a format that has no kernel.
  }];
  let options = [
    Option<"vectorWidth", "vector-width", "unsigned", /*default=*/"0",
           "f32 lanes of a vector, a power of two; 0 takes this host's">,
    Option<"threads", "threads", "bool", /*default=*/"true",
           "Let loops run on OpenMP threads">,
    Option<"minParallelWork", "min-parallel-work", "int64_t", /*default=*/"1048576",
           "Multiply-adds below which a loop stays on its thread">,
    Option<"gemmLibrary", "onednn-gemm", "bool", /*default=*/"false",
           "Call the runtime library for products of float weights with more than 8 tokens">,
  ];
}

#endif // SSMQ_CONVERSION_SSMTOVECTOR_PASSES
