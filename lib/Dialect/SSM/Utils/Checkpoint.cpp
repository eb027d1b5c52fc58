//===- Checkpoint.cpp - The checkpoint a module names ---------------------===//

#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Import/WeightStore.h"

using namespace mlir;
using ::ssmq::WeightStore;

FailureOr<std::shared_ptr<const WeightStore>> mlir::ssm::openCheckpoint(ModuleOp module,
                                                                        StringRef path) {
  if (path.empty())
    if (auto named = module->getAttrOfType<StringAttr>(SSMDialect::kCheckpointAttrName))
      path = named.getValue();
  auto isExternal = [](ml_program::GlobalOp global) {
    return isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr());
  };
  if (path.empty() && llvm::none_of(module.getOps<ml_program::GlobalOp>(), isExternal))
    return std::make_shared<const WeightStore>(WeightStore::makeEmpty());
  if (path.empty())
    return emitError(module.getLoc())
           << "the weights are nowhere: the module has no attribute '"
           << SSMDialect::kCheckpointAttrName << "'; import it from a checkpoint";
  llvm::Expected<WeightStore> store = WeightStore::open(path);
  if (!store)
    return emitError(module.getLoc()) << llvm::toString(store.takeError());
  return std::make_shared<const WeightStore>(std::move(*store));
}
