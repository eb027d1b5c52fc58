//===- FoldTargets.cpp - Where scales can be folded -----------------------===//

#include "FoldTargets.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

class FoldFinder {
public:
  explicit FoldFinder(ModuleOp module) : module(module), symbols(module) {
    module.walk([&](ml_program::GlobalLoadConstOp load) {
      if (auto global = symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference()))
        for (OpOperand &use : load.getResult().getUses())
          usesOf[global].push_back(&use);
    });
  }
  SmallVector<FoldTarget> run();

private:
  /// The external float weight that a value is loaded from; null for anything else.
  ml_program::GlobalOp getWeight(Value value);
  /// The same when this operand alone reads it.
  ml_program::GlobalOp getOwnWeight(OpOperand &operand);
  bool addLayers(FoldTarget &target);
  /// Finds what gives the columns of `value`, which nobody but the target's readers sees.
  bool findFront(Value value, FoldTarget &target);
  bool takeFront(OpOperand &weight, MutableArrayRef<OpOperand> bias, FoldTarget &target);
  bool isOnlySliceOfItsColumns(tensor::ExtractSliceOp slice);

  ModuleOp module;
  SymbolTable symbols;
  DenseMap<Operation *, SmallVector<OpOperand *>> usesOf;
};

} // namespace

ml_program::GlobalOp FoldFinder::getWeight(Value value) {
  auto load = value.getDefiningOp<ml_program::GlobalLoadConstOp>();
  auto global = load ? symbols.lookup<ml_program::GlobalOp>(load.getGlobal().getLeafReference())
                     : ml_program::GlobalOp();
  if (!global || !isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr()))
    return {};
  auto type = dyn_cast<RankedTensorType>(global.getType());
  return type && isa<FloatType>(type.getElementType()) ? global : ml_program::GlobalOp();
}

ml_program::GlobalOp FoldFinder::getOwnWeight(OpOperand &operand) {
  ml_program::GlobalOp global = getWeight(operand.get());
  return global && llvm::hasSingleElement(usesOf[global]) ? global : ml_program::GlobalOp();
}

bool FoldFinder::addLayers(FoldTarget &target) {
  for (OpOperand &use : target.input.getUses()) {
    auto layer = dyn_cast<LinearOp>(use.getOwner());
    if (!layer || &layer.getInputMutable() != &use)
      return false;
    ml_program::GlobalOp weight = getWeight(layer.getWeight());
    auto readsInput = [&](OpOperand *other) {
      auto reader = dyn_cast<LinearOp>(other->getOwner());
      return reader && other == &reader.getWeightMutable() && reader.getInput() == target.input;
    };
    if (!weight || !llvm::all_of(usesOf[weight], readsInput))
      return false;
    if (!llvm::is_contained(target.layers, weight))
      target.layers.push_back(weight);
    if (!target.firstReader || layer->isBeforeInBlock(target.firstReader))
      target.firstReader = layer;
  }
  return true;
}

/// Columns [first, last) of a slice of a matrix that takes each of them; nullopt for another.
static std::optional<std::pair<int64_t, int64_t>> getColumns(tensor::ExtractSliceOp slice) {
  ArrayRef<int64_t> offsets = slice.getStaticOffsets(), sizes = slice.getStaticSizes();
  if (offsets.size() != 2 || slice.getType().getRank() != 2 || ShapedType::isDynamic(offsets[1]) ||
      ShapedType::isDynamic(sizes[1]) || slice.getStaticStrides()[1] != 1)
    return std::nullopt;
  return std::make_pair(offsets[1], offsets[1] + sizes[1]);
}

bool FoldFinder::isOnlySliceOfItsColumns(tensor::ExtractSliceOp slice) {
  auto columns = getColumns(slice);
  return columns && llvm::all_of(slice.getSource().getUses(), [&](OpOperand &use) {
           auto other = dyn_cast<tensor::ExtractSliceOp>(use.getOwner());
           if (other == slice)
             return true;
           auto taken = other ? getColumns(other) : std::nullopt;
           return taken && (taken->second <= columns->first || columns->second <= taken->first);
         });
}

bool FoldFinder::takeFront(OpOperand &weight, MutableArrayRef<OpOperand> bias, FoldTarget &target) {
  target.front = getOwnWeight(weight);
  if (!bias.empty())
    target.frontBias = getOwnWeight(bias.front());
  return target.front && (bias.empty() || target.frontBias);
}

bool FoldFinder::findFront(Value value, FoldTarget &target) {
  Operation *op = value.getDefiningOp();
  if (auto norm = dyn_cast_or_null<RMSNormOp>(op))
    return takeFront(norm.getWeightMutable(), {}, target);
  if (auto norm = dyn_cast_or_null<LayerNormOp>(op))
    return takeFront(norm.getWeightMutable(), norm.getBiasMutable(), target);
  if (auto linear = dyn_cast_or_null<LinearOp>(op))
    return takeFront(linear.getWeightMutable(), linear.getBiasMutable(), target);
  if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op)) {
    // Slices of a norm would divide columns that other readers of the norm's weight keep.
    if (!slice.getSource().getDefiningOp<LinearOp>() || !isOnlySliceOfItsColumns(slice))
      return false;
    target.firstRow = getColumns(slice)->first;
    return findFront(slice.getSource(), target);
  }
  if (auto product = dyn_cast_or_null<arith::MulFOp>(op))
    for (Value factor : {product.getLhs(), product.getRhs()}) {
      FoldTarget attempt = target;
      if (!factor.hasOneUse() || !findFront(factor, attempt))
        continue;
      target = std::move(attempt);
      return true;
    }
  return false;
}

SmallVector<FoldTarget> FoldFinder::run() {
  SmallVector<FoldTarget> targets;
  auto forward = module.lookupSymbol<FunctionOpInterface>("forward");
  if (!forward)
    return targets;
  llvm::SetVector<Value> inputs;
  forward.walk([&](LinearOp layer) { inputs.insert(layer.getInput()); });
  for (Value input : inputs) {
    FoldTarget target;
    target.input = input;
    if (addLayers(target) && findFront(input, target) &&
        !llvm::is_contained(target.layers, target.front))
      targets.push_back(std::move(target));
  }
  return targets;
}

SmallVector<FoldTarget> mlir::ssm::findFoldTargets(ModuleOp module) {
  return FoldFinder(module).run();
}
