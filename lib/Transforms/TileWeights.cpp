//===- TileWeights.cpp - Quantized weights in tiles of rows ---------------===//

#include "RewrittenCheckpoint.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Tiling.h"
#include "ssmq/Reference/WeightValue.h"
#include "ssmq/Transforms/KernelWeights.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_TILEWEIGHTSPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::Expected;
using ::ssmq::LazyTensor;
using ::ssmq::Tensor;
using ::ssmq::TileLayout;
using Load = ml_program::GlobalLoadConstOp;

namespace {

/// What a global is to the ops that read it.
enum class Role { Codes, Groups };

/// An op whose weight can be tiled.
struct Reader {
  TileLayout layout;
  Load codes, scales;
  /// Null when the codes are symmetric.
  Load zeroPoints;
};

class WeightTiler {
public:
  explicit WeightTiler(ModuleOp module) : module(module), symbols(module) {}

  /// Gives globals and ops their new types; tensors are made when they are written.
  FailureOr<std::vector<LazyTensor>> rewrite(const WeightLookup &lookup, unsigned threads);

private:
  using GlobalName = StringAttr;

  void find();
  static GlobalName getName(Load load) { return load.getGlobal().getLeafReference(); }
  std::optional<Reader> getReader(Operation *op);
  template <typename OpTy>
  std::optional<Reader> getReader(OpTy op, int64_t columns);
  /// A load of a weight of the checkpoint; null for anything else.
  Load getLoad(Value value);
  /// Leaves out readers that share a tensor with what needs it as it is; false at the end.
  bool dropConflicts();
  LogicalResult retype(Load load, Role role, const TileLayout &layout, const WeightLookup &lookup,
                       unsigned threads);

  ModuleOp module;
  SymbolTable symbols;
  llvm::MapVector<Operation *, Reader> readers;
  std::vector<LazyTensor> tiled;
  llvm::StringSet<> isTiled;
};

class TileWeightsPass : public mlir::ssm::impl::TileWeightsPassBase<TileWeightsPass> {
public:
  using Base::Base;

  void runOnOperation() override {
    LogicalResult result = rewriteCheckpoint(
        getOperation(), {getArgument(), output, checkpoint, threads},
        [&](const ::ssmq::WeightStore &store, unsigned count) {
          return tileWeights(
              getOperation(), [&](StringRef name) { return store.lookup(name); }, count);
        });
    if (failed(result))
      signalPassFailure();
  }
};

} // namespace

Load WeightTiler::getLoad(Value value) {
  auto load = value ? value.getDefiningOp<Load>() : Load();
  auto global = load ? symbols.lookup<ml_program::GlobalOp>(getName(load)) : ml_program::GlobalOp();
  return global && isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr()) ? load : Load();
}

template <typename OpTy>
std::optional<Reader> WeightTiler::getReader(OpTy op, int64_t columns) {
  if (!op.getScales() || op.getTileRows())
    return std::nullopt;
  auto type = cast<RankedTensorType>(op.getWeight().getType());
  auto element = dyn_cast<quant::QuantizedType>(type.getElementType());
  int64_t bits = element ? element.getStorageTypeIntegralWidth() : *op.getPackedBits();
  Load codes = getLoad(op.getWeight()), scales = getLoad(op.getScales()),
       zeroPoints = getLoad(op.getZeroPoints());
  if ((bits != 4 && bits != 8) || columns < 1 || type.getDimSize(0) < 1 || !codes || !scales ||
      bool(op.getZeroPoints()) != bool(zeroPoints))
    return std::nullopt;
  return Reader{TileLayout(type.getDimSize(0), columns, *op.getGroupSize(), bits), codes, scales,
                zeroPoints};
}

std::optional<Reader> WeightTiler::getReader(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Reader>>(op)
      .Case([&](LinearOp linear) {
        return getReader(linear, linear.getInput().getType().getDimSize(1));
      })
      .Case([&](EmbeddingOp embedding) {
        return getReader(embedding, embedding.getType().getDimSize(1));
      })
      .Default(std::nullopt);
}

bool WeightTiler::dropConflicts() {
  struct Use {
    Role role;
    TileLayout layout;
    bool isSame = true, isOfLinear = false;
  };
  llvm::DenseMap<GlobalName, Use> uses;
  for (auto &[op, reader] : readers)
    for (Load load : {reader.codes, reader.scales, reader.zeroPoints}) {
      if (!load)
        continue;
      Role role = load == reader.codes ? Role::Codes : Role::Groups;
      auto [it, isNew] = uses.try_emplace(getName(load), Use{role, reader.layout});
      it->second.isSame &= it->second.role == role && it->second.layout == reader.layout;
      it->second.isOfLinear |= isa<LinearOp>(op);
    }
  // Whatever else reads a tensor keeps it as it is.
  std::optional<SymbolTable::UseRange> symbolUses = SymbolTable::getSymbolUses(module);
  if (!symbolUses)
    uses.clear();
  else
    for (const SymbolTable::SymbolUse &use : *symbolUses) {
      auto it = uses.find(use.getSymbolRef().getLeafReference());
      if (it == uses.end())
        continue;
      auto load = dyn_cast<Load>(use.getUser());
      it->second.isSame &= load && llvm::all_of(load->getUsers(), [&](Operation *user) {
                             return readers.contains(user);
                           });
    }
  size_t before = readers.size();
  readers.remove_if([&](auto &entry) {
    const Reader &reader = entry.second;
    return llvm::any_of(ArrayRef<Load>{reader.codes, reader.scales, reader.zeroPoints},
                        [&](Load load) {
                          if (!load)
                            return false;
                          auto it = uses.find(getName(load));
                          return it == uses.end() || !it->second.isSame || !it->second.isOfLinear;
                        });
  });
  return readers.size() < before;
}

void WeightTiler::find() {
  module.walk([&](Operation *op) {
    if (std::optional<Reader> reader = getReader(op))
      readers.insert({op, *reader});
  });
  while (dropConflicts()) {
  }
}

LogicalResult WeightTiler::retype(Load load, Role role, const TileLayout &layout,
                                  const WeightLookup &lookup, unsigned threads) {
  GlobalName name = getName(load);
  auto global = symbols.lookup<ml_program::GlobalOp>(name);
  auto type = cast<RankedTensorType>(load.getType());
  RankedTensorType newType =
      role == Role::Codes
          ? RankedTensorType::get({layout.getNumTiles(), layout.getTileBytes()},
                                  IntegerType::get(module.getContext(), 8))
          : type.clone({layout.getNumTiles(), layout.getNumGroups(), TileLayout::tileRows});
  if (isTiled.insert(name).second) {
    FailureOr<Tensor> stored = getWeightValue(load, lookup);
    if (failed(stored))
      return failure();
    tiled.push_back({name.str(), stored->getDType(), ::ssmq::Shape(newType.getShape()),
                     [stored = *stored, role, layout, threads]() -> Expected<Tensor> {
                       return role == Role::Codes ? ::ssmq::tileCodes(stored, layout, threads)
                                                  : ::ssmq::tileGroups(stored);
                     }});
    global.setType(newType);
    global.setValueAttr(ml_program::ExternAttr::get(module.getContext(), newType));
  }
  load.getResult().setType(newType);
  return success();
}

template <typename OpTy>
static void setTiled(OpTy op, const TileLayout &layout) {
  op.setPackedBits(layout.getBits());
  op.setTileRows(TileLayout::tileRows);
  if (layout.getRows() % TileLayout::tileRows != 0)
    op.setRows(layout.getRows());
  if constexpr (std::is_same_v<OpTy, EmbeddingOp>)
    op.setColumns(layout.getColumns());
}

FailureOr<std::vector<LazyTensor>> WeightTiler::rewrite(const WeightLookup &lookup,
                                                        unsigned threads) {
  find();
  for (auto &[op, reader] : readers) {
    for (Load load : {reader.codes, reader.scales, reader.zeroPoints}) {
      Role role = load == reader.codes ? Role::Codes : Role::Groups;
      if (load && failed(retype(load, role, reader.layout, lookup, threads)))
        return failure();
    }
    llvm::TypeSwitch<Operation *>(op).Case<LinearOp, EmbeddingOp>(
        [layout = reader.layout](auto typed) { setTiled(typed, layout); });
  }
  return std::move(tiled);
}

FailureOr<std::vector<LazyTensor>>
mlir::ssm::tileWeights(ModuleOp module, const WeightLookup &lookup, unsigned threads) {
  return WeightTiler(module).rewrite(lookup, threads);
}
