//===- RewrittenCheckpoint.cpp - Weights of a rewritten program -----------===//

#include "RewrittenCheckpoint.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Threading.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;
using ::ssmq::LazyTensor;
using ::ssmq::Tensor;

static Error write(ModuleOp module, const ::ssmq::WeightStore &store,
                   std::vector<LazyTensor> tensors, StringRef path) {
  llvm::StringSet<> names;
  for (const LazyTensor &tensor : tensors)
    names.insert(tensor.name);
  for (auto global : module.getOps<ml_program::GlobalOp>()) {
    if (!isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr()) ||
        names.contains(global.getSymName()))
      continue;
    Expected<Tensor> weight = store.lookup(global.getSymName());
    if (!weight)
      return weight.takeError();
    tensors.push_back(::ssmq::makeLazy({global.getSymName().str(), *weight}));
  }
  ::ssmq::SafetensorsMetadata metadata = {{"format", "ssmq"}};
  for (const ::ssmq::SafetensorsFile &file : store.getFiles())
    metadata.insert(file.getMetadata().begin(), file.getMetadata().end());
  return ::ssmq::writeSafetensors(path, tensors, metadata);
}

LogicalResult mlir::ssm::rewriteCheckpoint(ModuleOp module, const CheckpointRewrite &options,
                                           ReplaceWeights replace) {
  if (options.output.empty())
    return emitError(module.getLoc())
           << options.name << " needs output=FILE, the safetensors file to write";
  auto store = openCheckpoint(module, options.checkpoint);
  if (failed(store))
    return failure();
  unsigned threads =
      options.threads ? options.threads : llvm::hardware_concurrency().compute_thread_count();
  FailureOr<std::vector<LazyTensor>> replaced = replace(**store, threads);
  if (failed(replaced))
    return failure();
  if (replaced->empty())
    return success();
  if (Error error = write(module, **store, std::move(*replaced), options.output))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  module->setAttr(SSMDialect::kCheckpointAttrName,
                  StringAttr::get(module.getContext(), options.output));
  return success();
}
