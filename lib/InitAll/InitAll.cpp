//===- InitAll.cpp - Registration of everything of ours -------------------===//

#include "ssmq/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Reference/Interpreter.h"
#include "ssmq/Transforms/Passes.h"

using namespace mlir;

void mlir::ssm::registerAllDialects(DialectRegistry &registry) {
  registry.insert<SSMDialect>();
  registerEvaluableModels(registry);
}

void mlir::ssm::registerAllPasses() { registerSSMQTransformsPasses(); }
