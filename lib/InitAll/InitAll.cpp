//===- InitAll.cpp - Registration of everything of ours -------------------===//

#include "ssmq/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "ssmq/Analysis/Sites.h"
#include "ssmq/Conversion/SSMToVector/Passes.h"
#include "ssmq/Conversion/SSMToXe/Passes.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "ssmq/Pipelines/LowerToCPU.h"
#include "ssmq/Pipelines/LowerToXe.h"
#include "ssmq/Reference/Interpreter.h"
#include "ssmq/Target/Xe2/Passes.h"
#include "ssmq/Transforms/Passes.h"

using namespace mlir;

void mlir::ssm::registerAllDialects(DialectRegistry &registry) {
  registry.insert<SSMDialect>();
  registerEvaluableModels(registry);
  registerQuantizableModels(registry);
  registerLowerToCPUDependencies(registry);
  registerLowerToXeDependencies(registry);
}

void mlir::ssm::registerAllPasses() {
  registerSSMQTransformsPasses();
  registerSSMToVectorPasses();
  registerSSMToXePasses();
  registerSSMTransformsPasses();
  registerSSMQXe2Passes();
  registerLowerToCPUPipelines();
  registerLowerToXePipelines();
}
