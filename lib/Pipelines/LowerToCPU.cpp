//===- LowerToCPU.cpp - From tensors to LLVM IR for CPUs ------------------===//

#include "ssmq/Pipelines/LowerToCPU.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/OpenMPToLLVM/ConvertOpenMPToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/AllInterfaces.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "ssmq/Conversion/SSMToVector/Passes.h"
#include "ssmq/Conversion/SSMToVector/SSMToVector.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"

using namespace mlir;

void ssm::registerLowerToCPUDependencies(DialectRegistry &registry) {
  registry.insert<func::FuncDialect>();
  func::registerInlinerExtension(registry);
  registerBufferizableOpInterfaceExternalModels(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerAllDialectInterfaceImplementations(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
}

/// Functions are inlined first, so that each state is seen beside the op that stores it.
static void storeStates(OpPassManager &passes) {
  passes.addPass(createInlinerPass());
  passes.addPass(createSymbolDCEPass());
  passes.addPass(ssm::createStoreStates());
}

llvm::Expected<::ssmq::ProgramSignature> ssm::readCompiledSignature(ModuleOp module) {
  OwningOpRef<ModuleOp> copy = module.clone();
  PassManager passes(module.getContext());
  storeStates(passes);
  if (failed(passes.run(*copy)))
    return llvm::createStringError("the states of the program cannot be stored");
  return ::ssmq::readSignature(*copy);
}

void ssm::buildBufferizePipeline(OpPassManager &passes, const LowerToCPUOptions &options) {
  SetKernelTargetOptions target;
  target.target = options.target;
  target.features = options.features;
  target.vectorWidth = options.vectorWidth;
  target.dotProduct = options.dotProduct;
  const bool isFreestanding = options.freestanding > 0;
  target.threads = options.threads && !isFreestanding;
  target.minParallelWork = options.minParallelWork;
  target.gemmLibrary = options.gemmLibrary;
  target.schedule = options.schedule;
  storeStates(passes);
  passes.addPass(createSetKernelTarget(target));
  if (options.decode || isFreestanding)
    passes.addPass(createSpecializeTokens({options.freestanding}));
  if (options.prefill && !isFreestanding)
    passes.addPass(createAddPrefill());
  passes.addPass(createIntegerLinear());
  passes.addPass(createBindWeights());
  passes.addPass(createEntryABI());
  passes.addNestedPass<func::FuncOp>(createFuseElementwise());
  passes.addPass(createCSEPass());
  passes.addPass(bufferization::createOneShotBufferizePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(createReuseOutput());
  passes.addNestedPass<func::FuncOp>(createFreeBuffers());
  PlanBuffersOptions plan;
  plan.workspace = isFreestanding;
  passes.addNestedPass<func::FuncOp>(createPlanBuffers(plan));
  passes.addNestedPass<func::FuncOp>(createExpandCopies({/*all=*/isFreestanding}));
  passes.addPass(createVectorizeElementwise());
  if (options.profile)
    passes.addPass(createProfile());
  passes.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
}

void ssm::buildLowerToCPUPipeline(OpPassManager &passes, const LowerToCPUOptions &options) {
  buildBufferizePipeline(passes, options);
  passes.addNestedPass<func::FuncOp>(createExpandMath());
  if (options.freestanding > 0)
    passes.addNestedPass<func::FuncOp>(createExpandForTarget({options.target, options.features}));
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(createConvertOpenMPToLLVMPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

void ssm::registerLowerToCPUPipelines() {
  PassPipelineRegistration<LowerToCPUOptions>(
      "ssmq-bufferize", "Tensors to buffers, ssm ops to calls of generated kernels",
      buildBufferizePipeline);
  PassPipelineRegistration<LowerToCPUOptions>("ssmq-lower-to-cpu",
                                              "Programs to the LLVM and OpenMP dialects for CPUs",
                                              buildLowerToCPUPipeline);
}
