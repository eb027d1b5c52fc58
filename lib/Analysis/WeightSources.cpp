//===- WeightSources.cpp - What values depend on --------------------------===//

#include "ssmq/Analysis/WeightSources.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

static bool isWeight(Operation *op) {
  if (!isa<ml_program::GlobalLoadConstOp>(op) && !op->hasTrait<OpTrait::ConstantLike>())
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
