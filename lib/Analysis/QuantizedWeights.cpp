//===- QuantizedWeights.cpp - Weights that are stored in codes ------------===//

#include "ssmq/Analysis/QuantizedWeights.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ssm;
using llvm::Expected;
using ::ssmq::DType;
using ::ssmq::Tensor;

StringRef QuantizedWeight::getName() const { return ml_program::GlobalOp(codes).getSymName(); }

RankedTensorType QuantizedWeight::getType() const {
  return cast<RankedTensorType>(ml_program::GlobalOp(codes).getType());
}

Expected<std::shared_ptr<const ::ssmq::Format>> QuantizedWeight::getFormat() const {
  return ::ssmq::parseFormat(
      llvm::formatv("i{0} {1} group={2}", bits, zeroPoints ? "asym" : "sym", groupSize).str());
}

/// A tensor of the checkpoint, seen as what the program needs.
static Expected<Tensor> view(const ::ssmq::WeightStore &store, ml_program::GlobalOp global,
                             DType type, ArrayRef<int64_t> shape) {
  Expected<Tensor> tensor = store.lookup(global.getSymName());
  if (!tensor)
    return tensor;
  if (::ssmq::getCheckedNumBytes(type, shape) != tensor->getNumBytes())
    return ::ssmq::makeError("{0} takes {1} bytes in the checkpoint, which is not what its type "
                             "in the program needs",
                             ::ssmq::quote(global.getSymName()), tensor->getNumBytes());
  return Tensor::borrow(type, shape, tensor->getRawData(), std::make_shared<const Tensor>(*tensor));
}

Expected<::ssmq::QuantizedTensor> QuantizedWeight::read(const ::ssmq::WeightStore &store) const {
  ::ssmq::Shape shape(getType().getShape()), groups, bytes = shape;
  if (tiles) {
    groups = {tiles->getNumTiles(), tiles->getNumGroups(), ::ssmq::TileLayout::tileRows};
  } else {
    int64_t rows = shape[0], columns = getType().getNumElements() / rows;
    groups = {rows, (columns + groupSize - 1) / groupSize};
    bytes = {rows, ::ssmq::getPackedRowBytes(columns, bits)};
  }
  Expected<Tensor> packed = view(store, codes, DType::I8, bytes);
  if (!packed)
    return packed.takeError();
  Expected<Tensor> scale = view(store, scales, DType::F16, groups);
  if (!scale)
    return scale.takeError();
  Tensor zero;
  if (zeroPoints) {
    Expected<Tensor> stored = view(store, zeroPoints, DType::I8, groups);
    if (!stored)
      return stored.takeError();
    zero = *stored;
  }
  ::ssmq::QuantizedTensor result;
  result.groupSize = groupSize;
  if (!tiles) {
    result.codes = ::ssmq::unpackCodes(*packed, shape, bits);
    result.scales = *scale;
    result.zeroPoints = zero;
    return result;
  }
  result.codes = ::ssmq::untileCodes(*packed, *tiles);
  result.scales = ::ssmq::untileGroups(*scale, tiles->getRows());
  if (zero)
    result.zeroPoints = ::ssmq::untileGroups(zero, tiles->getRows());
  return result;
}

namespace {
/// The globals that an op's weight is made of; null where they are something else.
class WeightReader {
public:
  explicit WeightReader(ModuleOp module) : symbols(module) {}

  template <typename OpTy>
  std::optional<QuantizedWeight> operator()(OpTy op) {
    QuantizedWeight weight;
    weight.codes = getGlobal(op.getWeight());
    weight.scales = getGlobal(op.getScales());
    weight.zeroPoints = getGlobal(op.getZeroPoints());
    auto type = dyn_cast<RankedTensorType>(op.getWeight().getType());
    auto element = dyn_cast_or_null<quant::AnyQuantizedType>(type ? type.getElementType() : Type());
    weight.tiles = getTileLayout(op);
    if ((!element && !weight.tiles) || !weight.codes || !weight.scales ||
        bool(op.getZeroPoints()) != bool(weight.zeroPoints) || !op.getGroupSize() ||
        type.getNumElements() == 0 || !isHalf(weight.scales))
      return std::nullopt;
    weight.bits = weight.tiles ? weight.tiles->getBits() : element.getStorageTypeIntegralWidth();
    weight.groupSize = *op.getGroupSize();
    weight.uses = {&op.getWeightMutable()};
    if (weight.bits < 2 || weight.bits > 8 || weight.groupSize < 1)
      return std::nullopt;
    return weight;
  }

private:
  static bool isHalf(ml_program::GlobalOp global) {
    return cast<RankedTensorType>(global.getType()).getElementType().isF16();
  }
  ml_program::GlobalOp getGlobal(Value value) {
    auto load = value ? value.getDefiningOp<ml_program::GlobalLoadConstOp>() : nullptr;
    auto global = load ? symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference())
                       : ml_program::GlobalOp();
    return global && isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr())
               ? global
               : ml_program::GlobalOp();
  }

  SymbolTable symbols;
};
} // namespace

SmallVector<QuantizedWeight> mlir::ssm::findQuantizedWeights(ModuleOp module) {
  Operation *scope = module;
  if (Operation *forward = module.lookupSymbol("forward"))
    scope = forward;
  WeightReader read(module);
  llvm::MapVector<Operation *, QuantizedWeight> weights;
  scope->walk([&](Operation *op) {
    std::optional<QuantizedWeight> weight =
        llvm::TypeSwitch<Operation *, std::optional<QuantizedWeight>>(op)
            .Case<LinearOp, EmbeddingOp, CausalConv1dOp>(read)
            .Default(std::nullopt);
    if (!weight)
      return;
    auto [it, isNew] = weights.try_emplace(weight->codes, *weight);
    if (!isNew)
      it->second.uses.append(weight->uses);
  });
  return llvm::map_to_vector(weights, [](auto &entry) { return entry.second; });
}
