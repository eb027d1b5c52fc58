//===- RewrittenCheckpoint.cpp - Weights of a rewritten program -----------===//

#include "RewrittenCheckpoint.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using llvm::Error;
using llvm::Expected;
using ::ssmq::LazyTensor;
using ::ssmq::Tensor;

Error mlir::ssm::rewriteCheckpoint(ModuleOp module, const ::ssmq::WeightStore &store,
                                   llvm::ArrayRef<LazyTensor> replaced, llvm::StringRef path) {
  std::vector<LazyTensor> tensors(replaced);
  llvm::StringSet<> names;
  for (const LazyTensor &tensor : replaced)
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
  if (Error error = ::ssmq::writeSafetensors(path, tensors, metadata))
    return error;
  module->setAttr(SSMDialect::kCheckpointAttrName, StringAttr::get(module.getContext(), path));
  return Error::success();
}
