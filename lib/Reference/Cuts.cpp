//===- Cuts.cpp - Where all flow from an op passes ------------------------===//

#include "PostDominators.h"
#include "mlir/IR/TypeUtilities.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Reference/Interpreter.h"

using namespace mlir;
using namespace mlir::ssm;

void Interpreter::findPostDominators() {
  if (resultSlots.empty())
    return;
  // Ids, sizes and states from before are not flow.
  auto flows = [&](unsigned slot, Value value) {
    return !constants[slot] && isa<FloatType>(getElementTypeOrSelf(value)) &&
           !isa<BlockArgument>(value);
  };
  std::vector<PostDominators::Edge> edges;
  std::optional<unsigned> first;
  for (const Step &step : steps) {
    if (step.constant)
      continue;
    SmallVector<Value> operands = llvm::to_vector<4>(step.op->getOperands());
    llvm::append_range(operands, getCapturedValues(step.op));
    for (auto [to, result] : llvm::zip_equal(step.results, step.op->getResults())) {
      if (!flows(to, result))
        continue;
      for (auto [from, operand] : llvm::zip_equal(step.operands, operands)) {
        if (flows(from, operand))
          edges.push_back({from, to});
        if (!first && constants[from] && constants[from].getRank() == 2)
          first = to;
      }
    }
  }
  if (first)
    postDominators =
        std::make_shared<PostDominators>(slotOf.size(), edges, resultSlots.front(), *first);
}

Value Interpreter::findCut(ArrayRef<OpOperand *> changed) const {
  SmallVector<unsigned> slots;
  for (const Step &step : steps)
    if (llvm::any_of(changed, [&](OpOperand *use) { return step.op->isAncestor(use->getOwner()); }))
      llvm::append_range(slots, step.results);
  std::optional<unsigned> cut = postDominators ? postDominators->findOnTrunk(slots) : std::nullopt;
  if (!cut)
    return Value();
  return llvm::find_if(slotOf, [&](const auto &entry) { return entry.second == *cut; })->first;
}
