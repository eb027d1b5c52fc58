//===- StoreStates.cpp - States take the types of their formats -----------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/StoredStates.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_STORESTATES
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

/// The op with a third result for its scales.
template <typename OpTy>
static OpTy addScales(OpTy op, Value scales) {
  op.getStateScalesMutable().assign(scales);
  OpBuilder builder(op);
  SmallVector<Type> types(op->getResultTypes());
  types.push_back(scales.getType());
  OperationState state(op.getLoc(), op->getName(), op->getOperands(), types);
  state.attributes = op->getDiscardableAttrDictionary();
  state.getOrAddProperties<typename OpTy::Properties>() = op.getProperties();
  auto replacement = cast<OpTy>(builder.create(state));
  op->replaceAllUsesWith(replacement->getResults().take_front(2));
  op->erase();
  return replacement;
}

namespace {

struct StoreStates : public ssm::impl::StoreStatesBase<StoreStates> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && function.getBody().hasOneBlock())
        store(function);
  }

  static void store(func::FuncOp function) {
    // States that come to stand behind an argument were stored already.
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (auto name = function.getArgAttrOfType<StringAttr>(i, SSMDialect::kStateAttrName))
        store(function, i, name);
  }

  static void store(func::FuncOp function, unsigned argument, StringAttr name) {
    BlockArgument value = function.getArgument(argument);
    if (!value.hasOneUse())
      return;
    OpOperand &use = *value.use_begin();
    auto quantizable = dyn_cast<QuantizableOpInterface>(use.getOwner());
    auto stateful = dyn_cast<StatefulOpInterface>(use.getOwner());
    if (!quantizable || !stateful)
      return;
    OpResult next;
    for (auto [operand, result] : stateful.getStates())
      if (operand == &use)
        next = result;
    std::optional<StoredState> stored = getStoredState(quantizable);
    if (!next || !stored || !next.hasOneUse() || !isa<func::ReturnOp>(*next.user_begin()) ||
        !cast<RankedTensorType>(value.getType()).getElementType().isF32())
      return;

    unsigned result = next.use_begin()->getOperandNumber();
    Type type = cast<RankedTensorType>(value.getType()).clone(stored->elementType);
    value.setType(type);
    next.setType(type);
    if (stored->scales) {
      OpBuilder builder(function.getContext());
      auto scalesName = builder.getStringAttr(name.getValue() + ":scales");
      auto attributes =
          builder.getDictionaryAttr(builder.getNamedAttr(SSMDialect::kStateAttrName, scalesName));
      (void)function.insertArgument(argument + 1, stored->scales, attributes, value.getLoc());
      Value scales = function.getArgument(argument + 1);
      Operation *op = next.getOwner();
      Operation *scaled = llvm::TypeSwitch<Operation *, Operation *>(op)
                              .Case<DiagonalScanOp, SelectiveScanOp, SSDScanOp>(
                                  [&](auto scan) { return addScales(scan, scales); });
      Operation *terminator = function.getBody().front().getTerminator();
      terminator->insertOperands(result + 1, scaled->getResult(2));
    }
    function.setFunctionType(
        FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(),
                          function.getBody().front().getTerminator()->getOperandTypes()));
  }
};

} // namespace
