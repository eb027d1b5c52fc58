//===- LowerToCPU.h - From tensors to LLVM IR for CPUs ----------*- C++ -*-===//
//
// --ssmq-lower-to-cpu takes programs of the ssm dialect with arith, math, tensor, linalg and
// ml_program (weights extern, quantized ones packed) and leaves the LLVM and OpenMP dialects, with
// the entries that ExecutionEngine/CompiledProgram.h describes.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_PIPELINES_LOWERTOCPU_H
#define SSMQ_PIPELINES_LOWERTOCPU_H

#include "mlir/Pass/PassOptions.h"
#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace mlir::ssm {

struct LowerToCPUOptions : public PassPipelineOptions<LowerToCPUOptions> {
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("Processor: host, lunarlake, x86-64-v3, ..."),
                             llvm::cl::init("host")};
  Option<std::string> features{
      *this, "features",
      llvm::cl::desc("Changes to the processor's features, as +avxvnni,-avx512f")};
  Option<unsigned> vectorWidth{
      *this, "vector-width",
      llvm::cl::desc("f32 lanes of a vector, a power of two; 0 takes the target's"),
      llvm::cl::init(0)};
  Option<std::string> dotProduct{
      *this, "dot-product",
      llvm::cl::desc("Products of bytes: none, avx2, avx_vnni, avx_vnni_int8 or avx512_vnni; auto "
                     "takes this host's"),
      llvm::cl::init("auto")};
  Option<bool> threads{*this, "threads", llvm::cl::desc("Let loops run on OpenMP threads"),
                       llvm::cl::init(true)};
  Option<int64_t> minParallelWork{
      *this, "min-parallel-work",
      llvm::cl::desc("Multiply-adds below which a loop stays on its thread"),
      llvm::cl::init(98304)};
  Option<bool> gemmLibrary{
      *this, "onednn-gemm",
      llvm::cl::desc("Call the runtime library for products of float weights with many tokens"),
      llvm::cl::init(false)};
  Option<std::string> schedule{
      *this, "schedule",
      llvm::cl::desc("static: threads get equal shares of a loop; dynamic: they fetch pieces as "
                     "they finish; auto: dynamic where the target's cores are unequal"),
      llvm::cl::init("auto")};
  Option<bool> profile{*this, "profile",
                       llvm::cl::desc("Time each op of an entry (--ssmq-profile)"),
                       llvm::cl::init(false)};
  Option<bool> decode{*this, "decode", llvm::cl::desc("Add @decode, specialised for one token"),
                      llvm::cl::init(true)};
  Option<bool> prefill{*this, "prefill",
                       llvm::cl::desc("Add @prefill, for the output of the last token"),
                       llvm::cl::init(true)};
  Option<int64_t> freestanding{
      *this, "freestanding",
      llvm::cl::desc("Steps that @forward takes in code without threads, allocation and libraries, "
                     "whose last argument is its workspace; 0 for other code"),
      llvm::cl::init(0)};
};

/// Tensors to buffers: calls of kernels, loops over elementwise chains, states in place.
void buildBufferizePipeline(OpPassManager &passes, const LowerToCPUOptions &options);
/// All the way to the LLVM and OpenMP dialects.
void buildLowerToCPUPipeline(OpPassManager &passes, const LowerToCPUOptions &options);

/// What the lowered program takes and gives: the signature of the module but for states that are
/// stored in their formats.
llvm::Expected<::ssmq::ProgramSignature> readCompiledSignature(ModuleOp module);

/// Makes --ssmq-bufferize and --ssmq-lower-to-cpu known.
void registerLowerToCPUPipelines();
/// Dialects and interface models that the pipelines need of upstream and of ours.
void registerLowerToCPUDependencies(DialectRegistry &registry);

} // namespace mlir::ssm

#endif // SSMQ_PIPELINES_LOWERTOCPU_H
