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
    Option<"dotProduct", "dot-product", "std::string", /*default=*/"\"auto\"",
           "Products of bytes: none, avx2, avx_vnni, avx_vnni_int8 or avx512_vnni; auto takes the "
           "target's">,
    Option<"minParallelWork", "min-parallel-work", "int64_t", /*default=*/"98304",
           "Multiply-adds below which a loop stays on its thread">,
    Option<"gemmLibrary", "onednn-gemm", "bool", /*default=*/"false",
           "Call the runtime library for products of float weights with more than 8 tokens">,
    Option<"schedule", "schedule", "std::string", /*default=*/"\"auto\"",
           "static: threads get equal shares of a loop; dynamic: they fetch pieces as they finish; "
           "auto: dynamic where the target's cores are unequal">,
  ];
}

def IntegerLinear : Pass<"ssmq-integer-linear"> {
  let summary = "multiply integer activations with integer weights as integers";
  let description = [{
    `ssm.fake_quantize` to a symmetric integer format that feeds an `ssm.linear` with tiled codes
    becomes `ssm.quantize`, and the linear `ssm.integer_linear`, when activations share scales per
    token, statically over all values, or in groups of whole weight groups.
  }];
  let dependentDialects = ["::mlir::ssm::SSMDialect"];
}

def VectorizeElementwise : Pass<"ssmq-vectorize-elementwise", "::mlir::ModuleOp"> {
  let summary = "elementwise linalg on buffers becomes calls of vector kernels";
  let description = [{
    A `linalg.generic` over buffers whose loops are all parallel and whose body is elementwise
    becomes a call of a private function with loops over vectors, on several threads where the work
    is worth it; ops of equal bodies and buffer types share one. What it leaves is for
    `convert-linalg-to-loops`. Reads the module's `ssm.kernel_target`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::omp::OpenMPDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // SSMQ_CONVERSION_SSMTOVECTOR_PASSES
