//===- ExportQuant.cpp - Upstream's quantized types for other compilers ---===//

#include "FloatWeight.h"
#include "UniformType.h"
#include "UnusedWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Reference/WeightValue.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_EXPORTQUANTPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;
using ::ssmq::Tensor;
using Load = ml_program::GlobalLoadConstOp;

namespace {

class ExportQuantPass : public mlir::ssm::impl::ExportQuantPassBase<ExportQuantPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  LogicalResult exportWeight(OpOperand &weight);
  LogicalResult exportDequantize(DequantizeOp op);
  void exportActivation(FakeQuantizeOp op);
  /// The values behind `place`: codes and a cast, or the floats that `use` reads.
  FailureOr<Value> makeValues(Operation *place, OpOperand &use,
                              const std::optional<UniformCodes> &codes, ArrayRef<int64_t> shape);
  FailureOr<Tensor> load(Value value);

  WeightLookup lookup;
  llvm::SetVector<Operation *> loads;
};

} // namespace

FailureOr<Tensor> ExportQuantPass::load(Value value) {
  auto op = value.getDefiningOp<Load>();
  if (!op)
    return emitError(value.getLoc(), "the codes are not those of a checkpoint");
  loads.insert(op);
  return getWeightValue(op, lookup);
}

FailureOr<Value> ExportQuantPass::makeValues(Operation *place, OpOperand &use,
                                             const std::optional<UniformCodes> &codes,
                                             ArrayRef<int64_t> shape) {
  MLIRContext *context = &getContext();
  OpBuilder builder(place);
  Location loc = place->getLoc();
  auto floats = RankedTensorType::get(shape, Float32Type::get(context));
  quant::QuantizedType element = codes ? getUniformType(context, *codes, shape) : nullptr;
  if (!element) {
    FailureOr<Tensor> values = readWeight(use, lookup);
    if (failed(values))
      return failure();
    place->emitRemark("the weight has no type upstream and is exported as f32");
    auto attribute = DenseElementsAttr::get(floats, values->data<float>());
    return Value(arith::ConstantOp::create(builder, loc, attribute));
  }
  Value stored = arith::ConstantOp::create(builder, loc, getCodesAttribute(context, *codes, shape));
  Value quantized = quant::StorageCastOp::create(builder, loc, floats.clone(element), stored);
  return Value(quant::DequantizeCastOp::create(builder, loc, floats, quantized));
}

LogicalResult ExportQuantPass::exportWeight(OpOperand &weight) {
  Operation *op = weight.getOwner();
  auto type = cast<RankedTensorType>(weight.get().getType());
  auto element = dyn_cast<quant::QuantizedType>(type.getElementType());
  std::optional<::ssmq::TileLayout> tiles = getTileLayout(op);
  if (!element && !tiles)
    return op->emitError("the quantized weight is packed; export it before --ssmq-pack");
  unsigned bits = tiles ? tiles->getBits() : element.getStorageTypeIntegralWidth();
  SmallVector<int64_t> shape(type.getShape());
  if (tiles)
    shape = {tiles->getRows(), tiles->getColumns()};
  ::ssmq::QuantizedTensor quantized;
  for (Value operand : op->getOperands()) {
    if (!operand.getDefiningOp<Load>())
      continue;
    auto loaded = cast<RankedTensorType>(operand.getType());
    FailureOr<Tensor> tensor = load(operand);
    if (failed(tensor))
      return failure();
    if (operand == weight.get()) {
      quantized.codes =
          tiles ? ::ssmq::untileCodes(*tensor, *tiles) : ::ssmq::unpackCodes(*tensor, shape, bits);
      continue;
    }
    if (loaded.getRank() == 3)
      *tensor = ::ssmq::untileGroups(*tensor, shape.front());
    if (loaded.getElementType().isInteger(8))
      quantized.zeroPoints = *tensor;
    else if (loaded.getRank() >= 2)
      quantized.scales = *tensor;
  }
  auto groupSize = op->getAttrOfType<IntegerAttr>("group_size");
  if (!quantized.codes || !quantized.scales || !groupSize)
    return op->emitError("reads a weight that is not in a checkpoint");
  quantized.groupSize = groupSize.getInt();
  FailureOr<Value> values = makeValues(op, weight, getUniformCodes(quantized, bits), shape);
  return failed(values) ? failure() : setFloatWeight(op, *values);
}

LogicalResult ExportQuantPass::exportDequantize(DequantizeOp op) {
  if (op->use_empty())
    return success();
  ::ssmq::EncodedTensor encoded;
  FailureOr<Tensor> codes = load(op.getCodes());
  if (failed(codes))
    return failure();
  encoded.codes = *codes;
  if (op.getScales()) {
    FailureOr<Tensor> scales = load(op.getScales());
    if (failed(scales))
      return failure();
    encoded.scales = *scales;
  }
  std::optional<UniformCodes> uniform;
  if (op.getChannelDim() == 0) {
    auto found = getUniformCodes(*op.getFormat().getFormat(), encoded, op.getLayout());
    if (!found)
      return op.emitOpError() << llvm::toString(found.takeError());
    uniform = std::move(*found);
  }
  FailureOr<Value> values =
      makeValues(op, *op->getUses().begin(), uniform, op.getType().getShape());
  if (failed(values))
    return failure();
  op.getResult().replaceAllUsesWith(*values);
  op.erase();
  return success();
}

void ExportQuantPass::exportActivation(FakeQuantizeOp op) {
  std::shared_ptr<const ::ssmq::Format> format = op.getFormat().getFormat();
  const ::ssmq::Numerics &numerics = format->getNumerics();
  if (!format->needsRanges() || !numerics.getInteger() ||
      format->getSharing().kind != Sharing::PerTensor) {
    op.emitRemark() << "format '" << op.getFormat().getSpelling() << "' has no type upstream";
    return;
  }
  ::ssmq::RunRange range;
  range.low = op.getRanges()->front();
  range.high = op.getRanges()->back();
  ::ssmq::RunGrid grid;
  if (numerics.fit(range, grid) != ::ssmq::RunFault::None || grid.scale == 0) {
    op.emitRemark() << "ranges have no scale upstream";
    return;
  }
  unsigned bits = numerics.getCodeBits();
  int64_t lowest = -(int64_t(1) << (bits - 1));
  bool isAsymmetric = numerics.isAsymmetric();
  auto element = quant::UniformQuantizedType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(&getContext(), bits),
      Float32Type::get(&getContext()), grid.scale,
      isAsymmetric ? lowest - static_cast<int64_t>(grid.lowCode) : 0,
      isAsymmetric ? lowest : lowest + 1, -lowest - 1);
  OpBuilder builder(op);
  Value stored = quant::QuantizeCastOp::create(builder, op.getLoc(), op.getType().clone(element),
                                               op.getInput());
  Value values = quant::DequantizeCastOp::create(builder, op.getLoc(), op.getType(), stored);
  op.getResult().replaceAllUsesWith(values);
  op.erase();
}

void ExportQuantPass::runOnOperation() {
  ModuleOp module = getOperation();
  auto store = openCheckpoint(module, checkpoint);
  if (failed(store))
    return signalPassFailure();
  lookup = [store = *store](StringRef name) { return store->lookup(name); };
  loads.clear();
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    LogicalResult result = success();
    auto quantizable = dyn_cast<QuantizableOpInterface>(op);
    if (quantizable && quantizable.getFormatOfState())
      op->emitRemark("the format of the state has no type upstream");
    if (auto dequantize = dyn_cast<DequantizeOp>(op))
      result = exportDequantize(dequantize);
    else if (auto fake = dyn_cast<FakeQuantizeOp>(op))
      exportActivation(fake);
    else if (quantizable && quantizable.isWeightQuantized())
      result = exportWeight(*quantizable.getWeightOperand());
    if (failed(result))
      return signalPassFailure();
  }
  SymbolTable symbols(getOperation());
  eraseUnused(symbols, loads.getArrayRef());
  lookup = nullptr;
}
