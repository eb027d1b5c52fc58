//===- WeightSites.cpp - Weights that can be quantized --------------------===//

#include "ssmq/Analysis/WeightSites.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::ssm;

/// `path.operand` -> `path:operand`; a name without a path is itself the path of a weight.
static std::string getSiteName(StringRef tensor) {
  auto [path, operand] = tensor.rsplit('.');
  return operand.empty() ? (tensor + ":weight").str() : (path + ":" + operand).str();
}

/// The static float type of an external global; null for anything else.
static RankedTensorType getFloatWeightType(ml_program::GlobalOp global) {
  auto type = dyn_cast<RankedTensorType>(global.getType());
  bool isExternal = isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr());
  if (!isExternal || !type || !type.hasStaticShape() || !isa<FloatType>(type.getElementType()))
    return {};
  return type;
}

static int64_t getNumBytes(RankedTensorType type) {
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

/// Adds the uses of a load; false when one of them is not a weight operand with channels leading.
static bool addUses(ml_program::GlobalLoadConstOp load, WeightSite &site) {
  for (OpOperand &use : load.getResult().getUses()) {
    auto op = dyn_cast<QuantizableOpInterface>(use.getOwner());
    if (!op || op.isWeightQuantized() || op.getChannelDim() != 0 || &op.getWeightOperand() != &use)
      return false;
    site.uses.push_back(&use);
  }
  return true;
}

SmallVector<WeightSite> mlir::ssm::findWeightSites(ModuleOp module) {
  SymbolTable symbols(module);
  auto globalOf = [&](ml_program::GlobalLoadConstOp load) {
    return symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference());
  };
  // Ops that use the weights give the order, for loads may stand anywhere above them.
  llvm::MapVector<ml_program::GlobalOp, SmallVector<ml_program::GlobalLoadConstOp>> loadsOf;
  module.walk([&](QuantizableOpInterface op) {
    if (auto load = op.getWeightOperand().get().getDefiningOp<ml_program::GlobalLoadConstOp>())
      if (auto global = globalOf(load))
        loadsOf.insert({global, {}});
  });
  module.walk([&](ml_program::GlobalLoadConstOp load) {
    if (auto *it = loadsOf.find(globalOf(load)); it != loadsOf.end())
      it->second.push_back(load);
  });

  SmallVector<WeightSite> sites;
  for (auto &[global, loads] : loadsOf) {
    RankedTensorType type = getFloatWeightType(global);
    if (!type || type.getRank() < 2 || type.getNumElements() == 0)
      continue;
    WeightSite site;
    site.name = getSiteName(global.getSymName());
    site.global = global;
    site.loads = loads;
    site.rows = type.getDimSize(0);
    site.columns = type.getNumElements() / site.rows;
    site.numBytes = getNumBytes(type);
    if (llvm::all_of(loads, [&](auto load) { return addUses(load, site); }))
      sites.push_back(std::move(site));
  }
  return sites;
}

WeightTotals mlir::ssm::getWeightTotals(ModuleOp module) {
  WeightTotals totals;
  for (auto global : module.getOps<ml_program::GlobalOp>())
    if (RankedTensorType type = getFloatWeightType(global)) {
      totals.numElements += type.getNumElements();
      totals.numBytes += getNumBytes(type);
    }
  return totals;
}
