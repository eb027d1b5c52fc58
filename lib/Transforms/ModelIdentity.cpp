//===- ModelIdentity.cpp - Which model was measured -----------------------===//

#include "ModelIdentity.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "ssmq/Analysis/WeightSources.h"
#include "ssmq/Import/WeightStore.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::WeightStore;

std::string mlir::ssm::toHex(uint64_t hash) { return llvm::formatv("{0:x-16}", hash); }

static uint64_t addToHash(uint64_t hash, StringRef name, ArrayRef<uint8_t> bytes) {
  uint64_t parts[] = {hash, llvm::xxh3_64bits(name), llvm::xxh3_64bits(bytes)};
  return llvm::xxh3_64bits(
      ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(parts), sizeof(parts)));
}

static ArrayRef<char> getBytes(Operation *constant) {
  Attribute value;
  if (!matchPattern(constant, m_Constant(&value)))
    return {};
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : ArrayRef<char>();
  }
  auto elements = dyn_cast<DenseElementsAttr>(value);
  return elements ? elements.getRawData() : ArrayRef<char>();
}

llvm::Expected<std::string> mlir::ssm::hashWeights(ModuleOp module, const WeightStore &store) {
  uint64_t hash = 0;
  for (StringRef name : store.getNames()) {
    llvm::Expected<::ssmq::Tensor> weight = store.lookup(name);
    if (!weight)
      return weight.takeError();
    hash = addToHash(hash, name,
                     {static_cast<const uint8_t *>(weight->getRawData()),
                      static_cast<size_t>(weight->getNumBytes())});
  }
  for (Operation *constant : findConstantWeights(module)) {
    ArrayRef<char> bytes = getBytes(constant);
    hash = addToHash(hash, getWeightName(constant),
                     {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  }
  return toHex(hash);
}

std::string mlir::ssm::getModelName(ModuleOp module, const WeightStore &store) {
  if (!store.getFiles().empty()) {
    StringRef path = store.getFiles().front().getPath();
    return llvm::sys::path::filename(llvm::sys::path::parent_path(path)).str();
  }
  if (std::optional<StringRef> name = module.getSymName())
    return name->str();
  if (auto file = module.getLoc()->findInstanceOf<FileLineColLoc>())
    return llvm::sys::path::stem(file.getFilename().getValue()).str();
  return "module";
}
