//===- WeightSources.cpp - What values depend on --------------------------===//

#include "ssmq/Analysis/WeightSources.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

static bool isWeight(Operation *op) {
  if (!isa<ml_program::GlobalLoadConstOp, ssm::DequantizeOp>(op) &&
      !op->hasTrait<OpTrait::ConstantLike>())
    return false;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  return type && type.getRank() > 0 && type.hasStaticShape() &&
         isa<FloatType>(type.getElementType());
}

SmallVector<Operation *> mlir::ssm::findWeightSources(Value value) {
  llvm::SetVector<Operation *> slice;
  SmallVector<Operation *> sources;
  auto add = [&](Value operand) {
    Operation *op = operand.getDefiningOp();
    if (op)
      slice.insert(op);
    return op != nullptr;
  };
  if (!add(value))
    return {};
  for (size_t i = 0; i < slice.size(); ++i) {
    Operation *op = slice[i];
    if (isWeight(op))
      sources.push_back(op);
    else if (!isPure(op) || !llvm::all_of(op->getOperands(), add))
      return {};
  }
  return sources;
}

StringRef mlir::ssm::getWeightName(Operation *source) {
  if (auto dequantize = dyn_cast<DequantizeOp>(source))
    if (Operation *codes = dequantize.getCodes().getDefiningOp())
      source = codes;
  if (auto load = dyn_cast<ml_program::GlobalLoadConstOp>(source))
    return load.getGlobal().getLeafReference();
  Attribute value;
  if (matchPattern(source, m_Constant(&value)))
    if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value))
      return resource.getRawHandle().getKey();
  auto location = dyn_cast<NameLoc>(source->getLoc());
  return location ? location.getName().getValue() : StringRef();
}

SmallVector<Operation *> mlir::ssm::findConstantWeights(ModuleOp module) {
  SmallVector<Operation *> weights;
  DenseSet<Attribute> seen;
  module.walk([&](Operation *op) {
    Attribute value;
    if (!op->hasTrait<OpTrait::ConstantLike>() || op->getNumResults() != 1 || !isWeight(op) ||
        !matchPattern(op, m_Constant(&value)) || isa<SplatElementsAttr>(value))
      return;
    if (seen.insert(value).second)
      weights.push_back(op);
  });
  return weights;
}
