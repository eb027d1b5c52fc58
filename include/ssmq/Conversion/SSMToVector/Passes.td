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
    Option<"target", "target", "std::string", /*default=*/"\"host\"",
           "Processor: host, lunarlake, x86-64-v3, ... (Support/Target.h)">,
    Option<"features", "features", "std::string", /*default=*/"\"\"",
           "Changes to the processor's features, as +avxvnni,-avx512f">,
    Option<"vectorWidth", "vector-width", "unsigned", /*default=*/"0",
           "f32 lanes of a vector, a power of two; 0 takes the target's">,
    Option<"threads", "threads", "bool", /*default=*/"true",
           "Let loops run on OpenMP threads">,
    Option<"minParallelWork", "min-parallel-work", "int64_t", /*default=*/"1048576",
           "Multiply-adds below which a loop stays on its thread">,
    Option<"gemmLibrary", "onednn-gemm", "bool", /*default=*/"false",
           "Call the runtime library for products of float weights with more than 8 tokens">,
    Option<"schedule", "schedule", "std::string", /*default=*/"\"auto\"",
           "static: threads get equal shares of a loop; dynamic: they fetch pieces as they finish; "
           "auto: dynamic where the target's cores are unequal">,
  ];
}

#endif // SSMQ_CONVERSION_SSMTOVECTOR_PASSES
