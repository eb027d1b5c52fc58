//===- MarkStable.cpp - Systems whose states cannot grow ------------------===//

#include "UnusedWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/StableScans.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Reference/WeightValue.h"
#include "ssmq/Support/JsonFields.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_MARKSTABLEPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Tensor;
using Load = ml_program::GlobalLoadConstOp;

namespace {

class StableMarker {
public:
  StableMarker(ModuleOp module, std::shared_ptr<const ::ssmq::WeightStore> weights)
      : module(module),
        lookup([weights = std::move(weights)](StringRef name) { return weights->lookup(name); }) {}

  /// Without `embed` only what needs no new constants.
  LogicalResult mark(DiagonalScanOp op, bool embed);
  /// What constants have taken the place of.
  void eraseDead();
  llvm::json::Array takeFindings() { return std::move(findings); }

private:
  FailureOr<Tensor> getValue(DiagonalScanOp op);
  void report(DiagonalScanOp op, ArrayRef<UnstableHead> heads);
  /// Puts a constant in the place of an operand; `value` is what it holds.
  void setConstant(OpOperand &operand, const Tensor &value);
  LogicalResult embedLoad(OpOperand &operand);
  LogicalResult embedAll(DiagonalScanOp op, const Tensor &value);

  ModuleOp module;
  WeightLookup lookup;
  llvm::MapVector<Operation *, std::unique_ptr<Interpreter>> interpreters;
  llvm::SetVector<Operation *> replaced;
  llvm::json::Array findings;
};

class MarkStablePass : public mlir::ssm::impl::MarkStablePassBase<MarkStablePass> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

/// Null where `a` depends on more than weights.
FailureOr<Tensor> StableMarker::getValue(DiagonalScanOp op) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  std::unique_ptr<Interpreter> &interpreter = interpreters[function];
  if (!interpreter) {
    auto made = Interpreter::create(function, lookup, {::ssmq::KernelSet::Fast, /*threads=*/1});
    if (failed(made))
      return failure();
    interpreter = std::move(*made);
  }
  return interpreter->getConstant(op.getA());
}

void StableMarker::report(DiagonalScanOp op, ArrayRef<UnstableHead> heads) {
  std::string site = (op.getPath().value_or("ssm.diagonal_scan") + ":a").str();
  for (const UnstableHead &one : heads) {
    mlir::emitWarning(op.getLoc())
        << "site '" << site << "': |a| is " << llvm::formatv("{0:F6}", one.magnitude).str()
        << " at state " << one.state << " of head " << one.head
        << ", so that its states grow without bound";
    findings.push_back(llvm::json::Object{{"site", site},
                                          {"head", one.head},
                                          {"state", one.state},
                                          {"magnitude", ::ssmq::finiteOrNull(one.magnitude)}});
  }
}

void StableMarker::setConstant(OpOperand &operand, const Tensor &value) {
  Operation *source = operand.get().getDefiningOp();
  auto type = cast<RankedTensorType>(operand.get().getType());
  ArrayRef<char> bytes(static_cast<const char *>(value.getRawData()), value.getNumBytes());
  OpBuilder builder(source);
  operand.set(arith::ConstantOp::create(builder, operand.get().getLoc(), type,
                                        DenseElementsAttr::getFromRawBuffer(type, bytes)));
  replaced.insert(source);
}

LogicalResult StableMarker::embedLoad(OpOperand &operand) {
  auto load = operand.get().getDefiningOp<Load>();
  if (!load)
    return success();
  FailureOr<Tensor> value = getWeightValue(load, lookup);
  if (failed(value))
    return failure();
  setConstant(operand, *value);
  return success();
}

LogicalResult StableMarker::embedAll(DiagonalScanOp op, const Tensor &value) {
  OpOperand &a = op.getAMutable();
  Operation *source = a.get().getDefiningOp();
  if (isa<Load>(source))
    return embedLoad(a);
  if (auto dequantize = dyn_cast<DequantizeOp>(source)) {
    for (OpOperand &operand : dequantize->getOpOperands())
      if (failed(embedLoad(operand)))
        return failure();
    return success();
  }
  if (!source->hasTrait<OpTrait::ConstantLike>())
    setConstant(a, value);
  return success();
}

LogicalResult StableMarker::mark(DiagonalScanOp op, bool embed) {
  op.setStable(isStableByFormat(op));
  if (op.getStable())
    return success();
  FailureOr<Tensor> value = getValue(op);
  if (failed(value))
    return failure();
  if (!*value)
    return success();
  SmallVector<UnstableHead> heads =
      findUnstableHeads(value->data<float>(), op.getState().getType().getDimSize(0));
  report(op, heads);
  if (!heads.empty() || !embed)
    return success();
  if (failed(embedAll(op, *value)))
    return failure();
  op.setStable(true);
  return success();
}

void StableMarker::eraseDead() {
  SymbolTable symbols(module);
  SmallVector<Operation *> loads;
  while (!replaced.empty()) {
    Operation *op = replaced.pop_back_val();
    if (!isOpTriviallyDead(op))
      continue;
    if (isa<Load>(op)) {
      loads.push_back(op);
      continue;
    }
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        replaced.insert(source);
    op->erase();
  }
  eraseUnused(symbols, loads);
}

void MarkStablePass::runOnOperation() {
  ModuleOp module = getOperation();
  SmallVector<DiagonalScanOp> scans;
  module.walk([&](DiagonalScanOp op) { scans.push_back(op); });
  llvm::json::Array findings;
  if (!scans.empty()) {
    auto store = openCheckpoint(module, checkpoint);
    if (failed(store))
      return signalPassFailure();
    StableMarker marker(module, *store);
    for (DiagonalScanOp op : scans)
      if (failed(marker.mark(op, embed)))
        return signalPassFailure();
    marker.eraseDead();
    findings = marker.takeFindings();
  }
  if (output.empty())
    return;
  llvm::json::Object document{{"unstable", std::move(findings)}};
  if (llvm::Error error = ::ssmq::writeJsonFile(output, std::move(document))) {
    emitError(module.getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
