//===- Sites.cpp - Values that can be quantized ---------------------------===//

#include "ssmq/Analysis/Sites.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "ssmq/Analysis/WeightSources.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;
using ::ssmq::ValueLayout;

Operation *Site::getHolder() const {
  if (global)
    return ml_program::GlobalOp(global);
  OpOperand *use = uses.front();
  Operation *source = kind == SiteKind::Weight ? use->get().getDefiningOp() : nullptr;
  return source ? source : use->getOwner();
}

SmallVector<Value> Site::getValues() const {
  llvm::SmallSetVector<Value, 2> values;
  for (OpOperand *use : uses)
    values.insert(use->get());
  return values.takeVector();
}

ValueLayout Site::getLayout(int64_t tokens) const {
  ValueLayout layout{kind, rows, columns, headSize};
  if (layout.rowsAreTokens())
    layout.rows = tokens;
  return layout;
}

/// `path.operand` -> `path:operand`; a name without a path is itself the path of a weight.
static std::string getTensorSiteName(StringRef tensor) {
  auto [path, operand] = tensor.rsplit('.');
  return operand.empty() ? (tensor + ":weight").str() : (path + ":" + operand).str();
}

/// The type of a tensor of floats; null for anything else.
static RankedTensorType getFloatTensorType(Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  return ranked && isa<FloatType>(ranked.getElementType()) ? ranked : RankedTensorType();
}

/// The static float type of an external global; null for anything else.
static RankedTensorType getWeightType(ml_program::GlobalOp global) {
  RankedTensorType type = getFloatTensorType(global.getType());
  bool isExternal = isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr());
  return isExternal && type && type.hasStaticShape() ? type : RankedTensorType();
}

static int64_t getNumBytes(int64_t elements, Type elementType) {
  return elements * elementType.getIntOrFloatBitWidth() / 8;
}

/// What is computed from one weight takes the bytes of its element type.
static int64_t getNumStoredBytes(const Site &site, RankedTensorType type,
                                 ArrayRef<Operation *> sources) {
  if (sources.size() == 1)
    type = cast<RankedTensorType>(sources.front()->getResult(0).getType());
  return getNumBytes(site.elements, type.getElementType());
}

/// Whether a value holds all of one weight that nothing else reads, as a transposed weight does.
static bool isRearranged(Value value, ArrayRef<Operation *> sources) {
  auto count = [](Value one) { return cast<RankedTensorType>(one.getType()).getNumElements(); };
  if (sources.size() != 1 || count(sources.front()->getResult(0)) != count(value))
    return false;
  Operation *op = value.getDefiningOp();
  for (; op != sources.front(); op = value.getDefiningOp()) {
    if (!value.hasOneUse() || op->getNumOperands() == 0)
      return false;
    value = op->getOperand(0);
  }
  return value.hasOneUse();
}

/// Whether the value is held in a format already.
static bool isStored(const OperandSite &operand) {
  if (operand.insideOp)
    return cast<QuantizableOpInterface>(operand.operand->getOwner()).getFormatOfState() != nullptr;
  return isa_and_present<FakeQuantizeOp, DequantizeOp>(operand.operand->get().getDefiningOp());
}

namespace {

class SiteFinder {
public:
  SiteFinder(ModuleOp module, bool withStored);
  SmallVector<Site> run();

private:
  void addSites(QuantizableOpInterface op, unsigned position);
  /// Nullopt when the operand is no site.
  std::optional<Site> makeWeight(QuantizableOpInterface op, const OperandSite &operand);
  std::optional<Site> makeOperand(const OperandSite &operand);
  /// A weight that its op holds in codes.
  std::optional<Site> makeQuantizedWeight(QuantizableOpInterface op, const OperandSite &operand);
  /// All operands that read the weight, through any of its loads; empty when one of them is not a
  /// weight operand with the same channel dimension.
  SmallVector<OpOperand *> findUses(Operation *source, unsigned channelDim);
  std::string getName(QuantizableOpInterface op, unsigned position, const OperandSite &operand,
                      const Site &site);

  /// The global that holds a weight, or its codes; null when the value is computed.
  ml_program::GlobalOp findGlobal(Value weight);

  Operation *scope;
  bool withStored;
  SymbolTable symbols;
  DenseMap<Operation *, SmallVector<Operation *>> loadsOf;
  /// Globals and constants that were looked at.
  DenseSet<Operation *> seen;
  SmallVector<Site> sites;
  llvm::StringMap<size_t> siteOf;
};

} // namespace

SiteFinder::SiteFinder(ModuleOp module, bool withStored)
    : scope(module), withStored(withStored), symbols(module) {
  if (auto forward = symbols.lookup<FunctionOpInterface>("forward"))
    scope = forward;
  module.walk([&](ml_program::GlobalLoadConstOp load) {
    if (auto global = symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference()))
      loadsOf[global].push_back(load);
  });
}

SmallVector<OpOperand *> SiteFinder::findUses(Operation *source, unsigned channelDim) {
  SmallVector<OpOperand *> uses;
  ArrayRef<Operation *> readers = source;
  if (isa<ml_program::GlobalOp>(source))
    readers = loadsOf[source];
  for (Operation *op : readers)
    for (OpOperand &use : op->getResult(0).getUses()) {
      auto reader = dyn_cast<QuantizableOpInterface>(use.getOwner());
      if (!reader || reader.getWeightOperand() != &use || reader.isWeightQuantized() ||
          reader.getChannelDim() != channelDim)
        return {};
      uses.push_back(&use);
    }
  return uses;
}

ml_program::GlobalOp SiteFinder::findGlobal(Value weight) {
  if (auto dequantize = weight.getDefiningOp<DequantizeOp>())
    weight = dequantize.getCodes();
  auto load = weight.getDefiningOp<ml_program::GlobalLoadConstOp>();
  return load ? symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference())
              : ml_program::GlobalOp();
}

std::optional<Site> SiteFinder::makeQuantizedWeight(QuantizableOpInterface op,
                                                    const OperandSite &operand) {
  auto type = cast<RankedTensorType>(operand.operand->get().getType());
  Site site;
  site.kind = operand.kind;
  site.global = findGlobal(operand.operand->get());
  auto element = dyn_cast<quant::QuantizedType>(type.getElementType());
  std::optional<::ssmq::TileLayout> tiles = getTileLayout(op);
  if (!withStored || (!element && !tiles) || !site.global || type.getNumElements() == 0)
    return std::nullopt;
  site.channelDim = op.getChannelDim();
  site.rows = tiles ? tiles->getRows() : type.getDimSize(site.channelDim);
  site.columns = tiles ? tiles->getColumns() : type.getNumElements() / site.rows;
  site.elements = site.rows * site.columns;
  unsigned bits = tiles ? tiles->getBits() : element.getStorageTypeIntegralWidth();
  site.numBytes = site.rows * ::ssmq::getPackedRowBytes(site.columns, bits);
  if (!seen.insert(site.global).second)
    return std::nullopt;
  for (Operation *load : loadsOf[site.global])
    for (OpOperand &use : load->getUses())
      site.uses.push_back(&use);
  return site;
}

std::optional<Site> SiteFinder::makeWeight(QuantizableOpInterface op, const OperandSite &operand) {
  if (op.isWeightQuantized())
    return makeQuantizedWeight(op, operand);
  bool isCodes = operand.operand->get().getDefiningOp<DequantizeOp>() != nullptr;
  RankedTensorType type = getFloatTensorType(operand.operand->get().getType());
  SmallVector<Operation *> sources = findWeightSources(operand.operand->get());
  if (!type || !type.hasStaticShape() || type.getRank() < 2 || type.getNumElements() == 0 ||
      sources.empty() || (isCodes && !withStored) || op.getChannelDim() >= type.getRank())
    return std::nullopt;

  Site site;
  site.kind = operand.kind;
  site.channelDim = op.getChannelDim();
  site.rows = type.getDimSize(site.channelDim);
  site.columns = type.getNumElements() / site.rows;
  site.elements = type.getNumElements();
  site.numBytes = getNumStoredBytes(site, type, sources);
  Operation *source = operand.operand->get().getDefiningOp();
  if (source != sources.front()) {
    if (!isRearranged(operand.operand->get(), sources))
      return std::nullopt;
    site.uses = {operand.operand};
    return site;
  }
  site.global = findGlobal(operand.operand->get());
  if (isa<ml_program::GlobalLoadConstOp>(source)) {
    if (!site.global || !getWeightType(site.global))
      return std::nullopt;
    source = site.global;
  }
  if (!seen.insert(source).second)
    return std::nullopt;
  site.uses = findUses(source, site.channelDim);
  if (site.uses.empty())
    return std::nullopt;
  return site;
}

std::optional<Site> SiteFinder::makeOperand(const OperandSite &operand) {
  if (!withStored && isStored(operand))
    return std::nullopt;
  RankedTensorType type = getFloatTensorType(operand.operand->get().getType());
  if (!type || type.getRank() == 0 || ShapedType::isDynamic(type.getShape().back()))
    return std::nullopt;
  bool isWeight = operand.kind == SiteKind::Norm || operand.kind == SiteKind::Parameter;
  SmallVector<Operation *> sources = findWeightSources(operand.operand->get());
  if (isWeight == sources.empty())
    return std::nullopt;

  Site site;
  site.kind = operand.kind;
  site.headSize = operand.headSize;
  site.insideOp = operand.insideOp;
  site.uses = {operand.operand};
  site.columns = site.elements = type.getShape().back();
  if (!site.getLayout().rowsAreTokens()) {
    if (!type.hasStaticShape())
      return std::nullopt;
    site.elements = type.getNumElements();
    site.rows = site.columns ? site.elements / site.columns : 0;
  }
  if (site.elements == 0)
    return std::nullopt;
  site.numBytes = getNumStoredBytes(site, type, sources);
  return site;
}

std::string SiteFinder::getName(QuantizableOpInterface op, unsigned position,
                                const OperandSite &operand, const Site &site) {
  if (operand.name.contains(':'))
    return operand.name.str();
  if (site.global)
    return getTensorSiteName(ml_program::GlobalOp(site.global).getSymName());
  if (StringRef path = op.getSitePath(); !path.empty())
    return (path + ":" + operand.name).str();
  if (ml_program::GlobalOp global = findGlobal(operand.operand->get()))
    return getTensorSiteName(global.getSymName());
  return (op->getName().getStringRef() + "#" + Twine(position) + ":" + operand.name).str();
}

void SiteFinder::addSites(QuantizableOpInterface op, unsigned position) {
  for (const OperandSite &operand : op.getSites()) {
    bool isWeight = operand.kind == SiteKind::Weight;
    std::optional<Site> site = isWeight ? makeWeight(op, operand) : makeOperand(operand);
    if (!site)
      continue;
    std::string name = getName(op, position, operand, *site);
    auto [it, isNew] = siteOf.try_emplace(name, sites.size());
    if (!isNew) {
      Site &other = sites[it->second];
      if (other.kind == site->kind && other.uses.front()->get() == operand.operand->get() &&
          !other.insideOp && !site->insideOp) {
        other.uses.push_back(operand.operand);
        continue;
      }
      std::string base = name;
      for (unsigned i = 2; !siteOf.try_emplace(name, sites.size()).second; ++i)
        name = base + "#" + std::to_string(i);
    }
    site->name = std::move(name);
    sites.push_back(std::move(*site));
  }
}

SmallVector<Site> SiteFinder::run() {
  DenseMap<OperationName, unsigned> counts;
  scope->walk<WalkOrder::PreOrder>(
      [&](QuantizableOpInterface op) { addSites(op, counts[op->getName()]++); });
  return std::move(sites);
}

SmallVector<Site> mlir::ssm::findSites(ModuleOp module, ArrayRef<SiteKind> kinds) {
  // Names depend on all sites, so that they are the same for any choice of kinds.
  SmallVector<Site> sites = SiteFinder(module, /*withStored=*/false).run();
  if (!kinds.empty())
    llvm::erase_if(sites, [&](const Site &site) { return !llvm::is_contained(kinds, site.kind); });
  return sites;
}

SmallVector<Site> mlir::ssm::findSitesAndStored(ModuleOp module) {
  return SiteFinder(module, /*withStored=*/true).run();
}

WeightTotals mlir::ssm::getWeightTotals(ModuleOp module) {
  WeightTotals totals;
  for (auto global : module.getOps<ml_program::GlobalOp>())
    if (RankedTensorType type = getWeightType(global)) {
      totals.numElements += type.getNumElements();
      totals.numBytes += getNumBytes(type.getNumElements(), type.getElementType());
    }
  for (Operation *constant : findConstantWeights(module)) {
    auto type = cast<RankedTensorType>(constant->getResult(0).getType());
    totals.numElements += type.getNumElements();
    totals.numBytes += getNumBytes(type.getNumElements(), type.getElementType());
  }
  return totals;
}
