//===- LaunchOps.cpp - Ops that a GPU computes together -------------------===//

#include "ssmq/Dialect/SSM/IR/SSMOps.h"

using namespace mlir;
using namespace mlir::ssm;

YieldOp LaunchOp::getYield() { return cast<YieldOp>(getBody().front().getTerminator()); }

void YieldOp::build(OpBuilder &, OperationState &) {}

LogicalResult LaunchOp::verify() {
  Block &block = getBody().front();
  if (block.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("the body must take the inputs: ")
           << getInputs().getTypes() << ", but takes " << block.getArgumentTypes();
  if (getYield().getResults().getTypes() != getResultTypes())
    return emitOpError("the body must yield the results: ")
           << getResultTypes() << ", but yields " << getYield().getResults().getTypes();
  return success();
}

SmallVector<std::pair<OpOperand *, OpResult>> LaunchOp::getStates() {
  SmallVector<std::pair<OpOperand *, OpResult>> states;
  for (OpOperand &yielded : getYield()->getOpOperands()) {
    auto stateful = yielded.get().getDefiningOp<StatefulOpInterface>();
    if (!stateful)
      continue;
    for (auto [state, next] : stateful.getStates())
      if (auto argument = dyn_cast<BlockArgument>(state->get()); argument && next == yielded.get())
        states.push_back({&getInputsMutable()[argument.getArgNumber()],
                          getOperation()->getResult(yielded.getOperandNumber())});
  }
  return states;
}
