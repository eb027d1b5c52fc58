//===- Lower.cpp - Runs a lowering pipeline -------------------------------===//

#include "ssmq/ExecutionEngine/Lower.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "ssmq/ExecutionEngine/CompileOptions.h"
#include "ssmq/Runtime/OpenCL/Device.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;

std::string ssmq::getXeLowering(const DeviceInfo *device, llvm::StringRef more) {
  bool emulates = device && !(device->hasMatrixMultiply && device->hasBlockIO);
  const char *choice = emulates && !more.contains("dpas=") ? "dpas=false" : "";
  return llvm::formatv("ssmq-pack,ssmq-lower-to-xe{{{0} {1}}", choice, more);
}

std::string ssmq::getLowering(const CompileOptions &options, llvm::StringRef more) {
  if (options.device)
    return getXeLowering(&options.device->getInfo(), more);
  return llvm::formatv("ssmq-pack,ssmq-lower-to-cpu{{target={0} features={1} {2}}", options.cpu,
                       options.features, more);
}

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
