//===- LowerToXe.h - From tensors to SPIR-V and its host code ---*- C++ -*-===//
//
// --ssmq-lower-to-xe takes what --ssmq-lower-to-cpu takes and leaves the LLVM dialect: host code of
// the same entries, which launches kernels by the OpenCL runtime (Runtime/OpenCL/Launch.h), with
// their SPIR-V as a constant. Entries take buffers that the device can reach (USM).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_PIPELINES_LOWERTOXE_H
#define SSMQ_PIPELINES_LOWERTOXE_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace mlir::ssm {

struct LowerToXeOptions : public PassPipelineOptions<LowerToXeOptions> {
  Option<bool> fuse{*this, "fuse", llvm::cl::desc("Let ops share launches (--ssmq-form-launches)"),
                    llvm::cl::init(true)};
  Option<bool> decode{*this, "decode", llvm::cl::desc("Add @decode, specialised for one token"),
                      llvm::cl::init(true)};
  Option<bool> prefill{*this, "prefill",
                       llvm::cl::desc("Add @prefill, for the output of the last token"),
                       llvm::cl::init(true)};
  Option<bool> dpas{*this, "dpas",
                    llvm::cl::desc("Use dpas and 2-D block loads (--ssmq-bufferize-launches)"),
                    llvm::cl::init(true)};
  Option<bool> dot{
      *this, "dot",
      llvm::cl::desc("Without dpas: multiply rounded activations as codes, for devices "
                     "with instructions for products of 4 bytes"),
      llvm::cl::init(false)};
  Option<std::string> narrow{
      *this, "narrow",
      llvm::cl::desc("Type of activations of several tokens between launches "
                     "(--ssmq-narrow-launches): f16, bf16, off; auto: f16 with dpas, else off"),
      llvm::cl::init("auto")};
  Option<bool> narrowResidual{
      *this, "narrow-residual",
      llvm::cl::desc("Of the residual stream, too (--ssmq-narrow-launches)"),
      llvm::cl::init(false)};
};

/// Tensors to buffers: calls of functions that launch kernels, in gpu.module @ssmq_kernels.
void buildXeLaunchPipeline(OpPassManager &passes, const LowerToXeOptions &options);
/// All the way to host code with SPIR-V.
void buildLowerToXePipeline(OpPassManager &passes, const LowerToXeOptions &options);

/// Makes --ssmq-xe-launches and --ssmq-lower-to-xe known.
void registerLowerToXePipelines();
/// Dialects and interface models that the pipelines need of upstream and of ours.
void registerLowerToXeDependencies(DialectRegistry &registry);

} // namespace mlir::ssm

#endif // SSMQ_PIPELINES_LOWERTOXE_H
