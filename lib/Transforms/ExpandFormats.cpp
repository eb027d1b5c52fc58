//===- ExpandFormats.cpp - Weights in formats without kernels, as f32 -----===//

#include "FloatWeight.h"
#include "RewrittenCheckpoint.h"
#include "UnusedWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Reference/WeightValue.h"
#include "ssmq/Transforms/KernelWeights.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_EXPANDFORMATSPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::LazyTensor;
using ::ssmq::Tensor;
using Load = ml_program::GlobalLoadConstOp;

namespace {

class FormatExpander {
public:
  FormatExpander(ModuleOp module, const WeightLookup &lookup, unsigned threads)
      : module(module), symbols(module), lookup(lookup), threads(threads) {}

  /// The weights that are f32 now; removes codes and scales that nothing reads any more.
  FailureOr<std::vector<LazyTensor>> expandAll();

private:
  LogicalResult expand(DequantizeOp op);
  /// Weights whose codes have a width that no kernel unpacks.
  LogicalResult expand(Operation *op);
  /// The values of codes that the program holds itself, as a constant.
  FailureOr<Value> embed(DequantizeOp op);
  /// The values of a weight that `use` reads, behind the load of its `codes`.
  FailureOr<Value> replace(OpOperand &use, Value codes);

  ModuleOp module;
  SymbolTable symbols;
  const WeightLookup &lookup;
  unsigned threads;
  /// By the global that held the codes.
  llvm::MapVector<StringAttr, Tensor> expanded;
  llvm::SetVector<Operation *> loads;
};

} // namespace

FailureOr<Value> FormatExpander::replace(OpOperand &use, Value codes) {
  FailureOr<Tensor> values = readWeight(use, lookup, threads);
  if (failed(values))
    return failure();
  auto load = codes.getDefiningOp<Load>();
  StringAttr name = load.getGlobal().getLeafReference();
  auto global = symbols.lookup<ml_program::GlobalOp>(name);
  if (!global)
    return load.emitError() << "there is no global " << name;
  auto type = RankedTensorType::get(values->getShape(), Float32Type::get(module.getContext()));
  auto [known, isNew] = expanded.try_emplace(name, *values);
  if (!isNew && known->second.getShape() != values->getShape())
    return load.emitError() << "the codes " << name << " are read in two shapes";
  loads.insert(load);
  global.setType(type);
  global.setValueAttr(ml_program::ExternAttr::get(module.getContext(), type));
  OpBuilder builder(load);
  return Value(Load::create(builder, load.getLoc(), type, load.getGlobal()));
}

FailureOr<Value> FormatExpander::embed(DequantizeOp op) {
  FailureOr<Tensor> values = readWeight(*op->getUses().begin(), lookup, threads);
  if (failed(values))
    return failure();
  OpBuilder builder(op);
  ArrayRef<char> bytes(static_cast<const char *>(values->getRawData()), values->getNumBytes());
  auto constant = DenseElementsAttr::getFromRawBuffer(op.getType(), bytes);
  return Value(arith::ConstantOp::create(builder, op.getLoc(), op.getType(), constant));
}

LogicalResult FormatExpander::expand(DequantizeOp op) {
  if (op->use_empty()) {
    op.erase();
    return success();
  }
  FailureOr<Value> weight = op.getCodes().getDefiningOp<Load>()
                                ? replace(*op->getUses().begin(), op.getCodes())
                                : embed(op);
  if (failed(weight))
    return failure();
  for (Value operand : op->getOperands())
    if (auto load = operand.getDefiningOp<Load>())
      loads.insert(load);
  op.getResult().replaceAllUsesWith(*weight);
  op.erase();
  return success();
}

LogicalResult FormatExpander::expand(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  OpOperand *weight = quantizable ? quantizable.getWeightOperand() : nullptr;
  auto type = weight ? dyn_cast<RankedTensorType>(weight->get().getType()) : RankedTensorType();
  auto element =
      type ? dyn_cast<quant::QuantizedType>(type.getElementType()) : quant::QuantizedType();
  unsigned bits = element ? element.getStorageTypeIntegralWidth() : 8;
  if (bits == 4 || bits == 8)
    return success();
  FailureOr<Value> values = replace(*weight, weight->get());
  if (failed(values))
    return failure();
  for (Value operand : op->getOperands())
    if (auto load = operand.getDefiningOp<Load>())
      loads.insert(load);
  return setFloatWeight(op, *values);
}

FailureOr<std::vector<LazyTensor>> FormatExpander::expandAll() {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    auto dequantize = dyn_cast<DequantizeOp>(op);
    if (failed(dequantize ? expand(dequantize) : expand(op)))
      return failure();
  }
  eraseUnused(symbols, loads.getArrayRef());
  std::vector<LazyTensor> tensors;
  for (auto &[name, tensor] : expanded)
    tensors.push_back(::ssmq::makeLazy({name.str(), tensor}));
  return tensors;
}

FailureOr<std::vector<LazyTensor>>
mlir::ssm::expandFormats(ModuleOp module, const WeightLookup &lookup, unsigned threads) {
  return FormatExpander(module, lookup, threads).expandAll();
}

namespace {

class ExpandFormatsPass : public mlir::ssm::impl::ExpandFormatsPassBase<ExpandFormatsPass> {
public:
  using Base::Base;

  void runOnOperation() override {
    LogicalResult result = rewriteCheckpoint(
        getOperation(), {getArgument(), output, checkpoint, threads},
        [&](const ::ssmq::WeightStore &store, unsigned count) {
          return expandFormats(
              getOperation(), [&](StringRef name) { return store.lookup(name); }, count);
        });
    if (failed(result))
      signalPassFailure();
  }
};

} // namespace
