//===- AddPrefill.cpp - A copy of @forward for the last token's output ----===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "ssmq/Formats/Format.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_ADDPREFILL
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

/// Whether only the number of rows waits for the number of tokens.
static bool hasDynamicRows(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getNumDynamicDims() == 1 && type.isDynamicDim(0);
}

/// Whether a token's values are rounded by themselves: a range over the whole tensor knows all.
static bool roundsTokensAlone(ssm::FakeQuantizeOp op) {
  auto runs = op.getFormat().getFormat()->getRuns(op.getLayout(/*tokens=*/2));
  if (!runs) {
    llvm::consumeError(runs.takeError());
    return false;
  }
  return runs->unitsShareScales || runs->numUnits % 2 == 0;
}

/// The operands that have a row for each row of the only result, where that row follows from theirs
/// alone; nullopt for any other op.
static std::optional<SmallVector<OpOperand *>> getTokenOperands(Operation *op) {
  if (op->getNumResults() != 1 || !hasDynamicRows(op->getResult(0)))
    return std::nullopt;
  if (op->hasTrait<ssm::TokenWise>())
    return SmallVector<OpOperand *>{&op->getOpOperand(0)};
  if (auto fill = dyn_cast<linalg::BroadcastOp>(op)) {
    if (!llvm::is_contained(fill.getDimensions(), 0))
      return std::nullopt;
    return SmallVector<OpOperand *>{fill.getDpsInitOperand(0)};
  }
  if (isa<tensor::EmptyOp, tensor::SplatOp>(op))
    return SmallVector<OpOperand *>();
  auto round = dyn_cast<ssm::FakeQuantizeOp>(op);
  if (round ? !roundsTokensAlone(round) : !op->hasTrait<OpTrait::Elementwise>())
    return std::nullopt;
  SmallVector<OpOperand *> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<TensorType>(operand.get().getType()))
      continue;
    if (!hasDynamicRows(operand.get()))
      return std::nullopt;
    operands.push_back(&operand);
  }
  return operands;
}

namespace {

struct AddPrefill : public ssm::impl::AddPrefillBase<AddPrefill> {
  void runOnOperation() override {
    auto forward = getOperation().lookupSymbol<func::FuncOp>("forward");
    if (!forward || forward.isExternal() || getOperation().lookupSymbol("prefill") ||
        !forward.getBody().hasOneBlock() || forward.getNumArguments() == 0 ||
        forward.getNumResults() == 0)
      return;
    Value output = forward.getBody().front().getTerminator()->getOperand(0);
    if (!hasDynamicRows(forward.getArgument(0)) || !hasDynamicRows(output))
      return;

    OpBuilder builder(forward);
    builder.setInsertionPointAfter(forward);
    auto prefill = cast<func::FuncOp>(builder.clone(*forward));
    prefill.setName("prefill");
    keepLastRow(prefill);
  }

  /// The ops that serve the first operand of the terminator alone, and no other of its rows than
  /// the last; users before producers.
  static llvm::SetVector<Operation *> findOneRowOps(Operation *terminator) {
    llvm::SetVector<Operation *> found;
    auto servesOneRow = [&](OpOperand &use) {
      if (use.getOwner() == terminator)
        return use.getOperandNumber() == 0;
      return found.contains(use.getOwner()) &&
             llvm::is_contained(*getTokenOperands(use.getOwner()), &use);
    };
    for (Operation &op : llvm::reverse(terminator->getBlock()->without_terminator()))
      if (getTokenOperands(&op) && !op.use_empty() &&
          llvm::all_of(op.getResult(0).getUses(), servesOneRow))
        found.insert(&op);
    return found;
  }

  static void keepLastRow(func::FuncOp function) {
    Operation *terminator = function.getBody().front().getTerminator();
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    Location loc = function.getLoc();
    Value numTokens = tensor::DimOp::create(builder, loc, function.getArgument(0), 0);
    Value last = arith::SubIOp::create(builder, loc, numTokens,
                                       arith::ConstantIndexOp::create(builder, loc, 1));

    IRMapping rows;
    auto getLastRow = [&](Value value) {
      if (Value known = rows.lookupOrNull(value))
        return known;
      builder.setInsertionPointAfterValue(value);
      if (!last.getDefiningOp()->isBeforeInBlock(&*builder.getInsertionPoint()))
        builder.setInsertionPointAfterValue(last);
      auto type = cast<RankedTensorType>(value.getType());
      SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0));
      SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(1)};
      SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
      offsets.front() = last;
      for (int64_t size : type.getShape().drop_front())
        sizes.push_back(builder.getIndexAttr(size));
      Value row =
          tensor::ExtractSliceOp::create(builder, value.getLoc(), value, offsets, sizes, strides);
      rows.map(value, row);
      return row;
    };

    llvm::SetVector<Operation *> oneRow = findOneRowOps(terminator);
    for (Operation *op : llvm::reverse(oneRow)) {
      SmallVector<OpOperand *> operands = *getTokenOperands(op);
      for (OpOperand *operand : operands)
        getLastRow(operand->get());
      builder.setInsertionPoint(op);
      Operation *single = builder.clone(*op);
      for (OpOperand *operand : operands)
        single->setOperand(operand->getOperandNumber(), rows.lookup(operand->get()));
      if (isa<tensor::EmptyOp, tensor::SplatOp>(op))
        single->eraseOperand(single->getNumOperands() - 1);
      auto type = cast<RankedTensorType>(op->getResult(0).getType());
      SmallVector<int64_t> shape(type.getShape());
      shape.front() = 1;
      single->getResult(0).setType(type.clone(shape));
      rows.map(op->getResult(0), single->getResult(0));
    }
    terminator->setOperand(0, getLastRow(terminator->getOperand(0)));
    for (Operation *op : oneRow)
      op->erase();
    function.setType(FunctionType::get(function.getContext(), function.getArgumentTypes(),
                                       terminator->getOperandTypes()));
  }
};

} // namespace
