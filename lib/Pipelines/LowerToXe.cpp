//===- LowerToXe.cpp - From tensors to SPIR-V and its host code -----------===//

#include "ssmq/Pipelines/LowerToXe.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/GPUToLLVMSPV/GPUToLLVMSPVPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToXeVM/MathToXeVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Conversion/XeGPUToXeVM/XeGPUToXeVM.h"
#include "mlir/Conversion/XeVMToLLVM/XeVMToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/XeVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVM/XeVM/Target.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/XeVM/XeVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "ssmq/Conversion/SSMToVector/Passes.h"
#include "ssmq/Conversion/SSMToXe/Passes.h"
#include "ssmq/Conversion/SSMToXe/SSMToXe.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "ssmq/Pipelines/LowerToCPU.h"

using namespace mlir;

void ssm::registerLowerToXeDependencies(DialectRegistry &registry) {
  registerLowerToCPUDependencies(registry);
  registerLaunchBufferization(registry);
  registry.insert<xevm::XeVMDialect>();
  xevm::registerXeVMTargetInterfaceExternalModels(registry);
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerXeVMDialectTranslation(registry);
}

void ssm::buildXeLaunchPipeline(OpPassManager &passes, const LowerToXeOptions &options) {
  passes.addPass(createInlinerPass());
  passes.addPass(createSymbolDCEPass());
  passes.addPass(createStoreStates());
  if (options.decode)
    passes.addPass(createSpecializeTokens());
  if (options.prefill)
    passes.addPass(createAddPrefill());
  if (options.dpas || options.dot)
    passes.addPass(createIntegerLinear());
  passes.addPass(createBindWeights());
  passes.addPass(createEntryABI());
  passes.addNestedPass<func::FuncOp>(createFuseElementwise());
  passes.addPass(createCSEPass());
  FormLaunchesOptions launches;
  launches.fuse = options.fuse;
  passes.addNestedPass<func::FuncOp>(createFormLaunches(launches));
  NarrowLaunchesOptions narrow;
  narrow.type = options.narrow;
  if (options.narrow == "auto")
    narrow.type = options.dpas ? "f16" : "off";
  narrow.residual = options.narrowResidual;
  passes.addNestedPass<func::FuncOp>(createNarrowLaunches(narrow));
  BufferizeLaunchesOptions buffers;
  buffers.dpas = options.dpas;
  passes.addPass(createBufferizeLaunches(buffers));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(createReuseOutput());
  passes.addNestedPass<func::FuncOp>(createFreeBuffers());
  // Kernels cannot read the stack.
  PlanBuffersOptions plan;
  plan.maxStackBytes = 0;
  passes.addNestedPass<func::FuncOp>(createPlanBuffers(plan));
}

static void addKernelCompilation(OpPassManager &passes, const ssm::LowerToXeOptions &options) {
  GpuXeVMAttachTargetOptions target;
  // Drivers optimise. Induction over pointers and extended instructions for minima, which LLVM
  // makes, hide from them what is uniform in a sub-group; but it removes the arrays of 2-D block
  // loads.
  target.optLevel = options.dpas ? 3 : 0;
  passes.addPass(createGpuXeVMAttachTarget(target));
  OpPassManager &kernels = passes.nest<gpu::GPUModuleOp>();
  arith::ArithExpandOpsPassOptions expansion;
  expansion.includeBf16 = true;
  kernels.addPass(arith::createArithExpandOpsPass(expansion));
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createConvertMathToXeVM());
  kernels.addPass(createConvertXeGPUToXeVMPass());
  ConvertGpuOpsToLLVMSPVOpsOptions device;
  device.use64bitIndex = true;
  kernels.addPass(createConvertGpuOpsToLLVMSPVOps(device));
  kernels.addPass(ssm::createUniformSubgroups());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertVectorToLLVMPass());
  kernels.addPass(createConvertXeVMToLLVMPass());
  kernels.addPass(ssm::createNameMatrixFunctions());
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createArithToLLVMConversionPass());
  kernels.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  OpPassManager &converted = passes.nest<gpu::GPUModuleOp>();
  converted.addPass(createReconcileUnrealizedCastsPass());
  converted.addPass(createCanonicalizerPass());
  converted.addPass(createCSEPass());
  passes.addPass(ssm::createCompileKernels());
}

void ssm::buildLowerToXePipeline(OpPassManager &passes, const LowerToXeOptions &options) {
  buildXeLaunchPipeline(passes, options);
  addKernelCompilation(passes, options);
  passes.addPass(createHostLaunches());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  FinalizeMemRefToLLVMConversionPassOptions memory;
  memory.useGenericFunctions = true;
  passes.addPass(createFinalizeMemRefToLLVMConversionPass(memory));
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

void ssm::registerLowerToXePipelines() {
  PassPipelineRegistration<LowerToXeOptions>(
      "ssmq-xe-launches", "Tensors to buffers, ssm ops to launches of generated GPU kernels",
      buildXeLaunchPipeline);
  PassPipelineRegistration<LowerToXeOptions>(
      "ssmq-lower-to-xe", "Programs to SPIR-V kernels and host code that launches them",
      buildLowerToXePipeline);
}
