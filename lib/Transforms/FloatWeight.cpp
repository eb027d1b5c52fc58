//===- FloatWeight.cpp - Quantized ops with float weights again -----------===//

#include "FloatWeight.h"

#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ssm;

LogicalResult mlir::ssm::setFloatWeight(Operation *op, Value weight) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<LinearOp, EmbeddingOp, CausalConv1dOp>([&](auto typed) {
        typed.getWeightMutable().assign(weight);
        typed.getScalesMutable().clear();
        typed.getZeroPointsMutable().clear();
        for (StringRef name : {"group_size", "packed_bits", "tile_rows", "rows", "columns"})
          op->removeAttr(name);
        return success();
      })
      .Default([](Operation *other) { return other->emitError("cannot read a weight in f32"); });
}
