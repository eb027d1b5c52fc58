//===- Lower.cpp - Runs a lowering pipeline -------------------------------===//

#include "ssmq/ExecutionEngine/Lower.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;

llvm::Error ssmq::lower(mlir::ModuleOp module, llvm::StringRef pipeline) {
  mlir::PassManager passes(module.getContext());
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (failed(mlir::parsePassPipeline(pipeline, passes, stream)))
    return makeError("the lowering cannot be set up: {0}", problem);
  if (failed(passes.run(module)))
    return makeError("the program cannot be lowered");
  return llvm::Error::success();
}
