//===- WeightValue.cpp - Host values of weights ---------------------------===//

#include "ssmq/Reference/WeightValue.h"

#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DType;
using ::ssmq::Tensor;
using ::ssmq::TileLayout;

/// How a weight of this element type lies in memory; quantized codes are packed bytes.
static std::optional<DType> getStorageType(Type type) {
  if (isa<quant::QuantizedType>(type) || type.isInteger(8))
    return DType::I8;
  if (type.isInteger(32))
    return DType::I32;
  return llvm::TypeSwitch<Type, std::optional<DType>>(type)
      .Case([](Float32Type) { return DType::F32; })
      .Case([](Float16Type) { return DType::F16; })
      .Case([](BFloat16Type) { return DType::BF16; })
      .Default(std::nullopt);
}

/// The shape in memory: rows of packed codes for a quantized type.
static ::ssmq::Shape getStorageShape(RankedTensorType type) {
  ::ssmq::Shape shape(type.getShape().begin(), type.getShape().end());
  if (auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType())) {
    int64_t rows = shape.empty() ? 1 : shape[0];
    int64_t columns = rows ? type.getNumElements() / rows : 0;
    shape = {rows, ::ssmq::getPackedRowBytes(columns, quantized.getStorageTypeIntegralWidth())};
  }
  return shape;
}

/// The same bytes under another type and shape.
static Tensor viewAs(const Tensor &tensor, DType type, ArrayRef<int64_t> shape) {
  return Tensor::borrow(type, shape, tensor.getRawData(), std::make_shared<const Tensor>(tensor));
}

FailureOr<Tensor> mlir::ssm::getWeightValue(ml_program::GlobalLoadConstOp load,
                                            const WeightLookup &weights) {
  StringRef name = load.getGlobal().getLeafReference().getValue();
  llvm::Expected<Tensor> stored = weights(name);
  if (!stored) {
    emitError(load.getLoc()) << llvm::toString(stored.takeError());
    return failure();
  }
  auto type = dyn_cast<RankedTensorType>(load.getType());
  std::optional<DType> dtype = type ? getStorageType(type.getElementType()) : std::nullopt;
  if (!dtype || !type.hasStaticShape()) {
    emitError(load.getLoc()) << "weight '" << name << "' has the type " << load.getType()
                             << ", which no weight can have";
    return failure();
  }
  ::ssmq::Shape shape = getStorageShape(type);
  bool isCodes = *dtype == DType::I8;
  if (::ssmq::getCheckedNumBytes(*dtype, shape) != stored->getNumBytes() ||
      (!isCodes && stored->getDType() != *dtype)) {
    emitError(load.getLoc()) << "weight '" << name << "' is stored as "
                             << getName(stored->getDType()) << " in " << stored->getNumBytes()
                             << " bytes, but the program expects " << load.getType();
    return failure();
  }
  return viewAs(*stored, *dtype, shape);
}

/// Columns of a row of the weight; after packing only other operands and results tell.
static int64_t getNumColumns(LinearOp op) { return op.getInput().getType().getDimSize(1); }
static int64_t getNumColumns(EmbeddingOp op) { return op.getType().getDimSize(1); }
static int64_t getNumColumns(CausalConv1dOp op) {
  return op.getState().getType().getDimSize(0) + 1;
}

template <typename OpTy>
static Tensor dequantize(OpTy op, ArrayRef<Tensor> operands) {
  typename OpTy::template GenericAdaptor<ArrayRef<Tensor>> values(operands, op);
  if (!values.getWeight() || !values.getScales() || (op.getZeroPoints() && !values.getZeroPoints()))
    return Tensor();
  auto type = cast<RankedTensorType>(op.getWeight().getType());
  auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType());
  unsigned bits = quantized ? quantized.getStorageTypeIntegralWidth() : *op.getPackedBits();
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = getNumColumns(op);

  ::ssmq::QuantizedTensor weight;
  weight.groupSize = *op.getGroupSize();
  if (std::optional<TileLayout> layout = getTileLayout(op)) {
    weight.codes = ::ssmq::untileCodes(values.getWeight(), *layout);
    weight.scales = ::ssmq::untileGroups(values.getScales(), layout->getRows());
    if (op.getZeroPoints())
      weight.zeroPoints = ::ssmq::untileGroups(values.getZeroPoints(), layout->getRows());
    return ::ssmq::dequantize(weight);
  }
  weight.codes = ::ssmq::unpackCodes(values.getWeight(), shape, bits);
  weight.scales = values.getScales();
  weight.zeroPoints = values.getZeroPoints();
  return ::ssmq::dequantize(weight);
}

Tensor mlir::ssm::dequantizeWeight(Operation *op, ArrayRef<Tensor> operands) {
  return llvm::TypeSwitch<Operation *, Tensor>(op)
      .Case<LinearOp, EmbeddingOp, CausalConv1dOp>(
          [&](auto typed) { return dequantize(typed, operands); })
      .Default(Tensor());
}

/// The values of the operands that are loads of weights or constants; null elsewhere.
static FailureOr<SmallVector<Tensor>> loadOperands(Operation *op, const WeightLookup &weights) {
  SmallVector<Tensor> operands(op->getNumOperands());
  for (auto [value, operand] : llvm::zip_equal(op->getOperands(), operands)) {
    Operation *source = value.getDefiningOp();
    if (auto constant = dyn_cast_or_null<EvaluableOpInterface>(source);
        constant && source->hasTrait<OpTrait::ConstantLike>()) {
      auto held = constant.evaluate({}, EvaluationContext());
      if (failed(held))
        return failure();
      operand = held->front();
    } else if (auto load = value.getDefiningOp<ml_program::GlobalLoadConstOp>()) {
      FailureOr<Tensor> loaded = getWeightValue(load, weights);
      if (failed(loaded))
        return failure();
      operand = *loaded;
    }
  }
  return operands;
}

FailureOr<Tensor> mlir::ssm::readWeight(OpOperand &use, const WeightLookup &weights,
                                        unsigned threads) {
  Operation *op = use.getOwner();
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  bool isCodes =
      quantizable && quantizable.getWeightOperand() == &use && quantizable.isWeightQuantized();
  auto dequantize = use.get().getDefiningOp<DequantizeOp>();
  auto load = use.get().getDefiningOp<ml_program::GlobalLoadConstOp>();
  if (load && !isCodes) {
    FailureOr<Tensor> loaded = getWeightValue(load, weights);
    return failed(loaded) ? loaded : FailureOr<Tensor>(loaded->toF32());
  }
  Operation *source = dequantize ? dequantize.getOperation() : op;
  FailureOr<SmallVector<Tensor>> operands = loadOperands(source, weights);
  if (failed(operands))
    return failure();
  if (dequantize && llvm::all_of(*operands, [](const Tensor &one) { return bool(one); })) {
    EvaluationContext context{{::ssmq::KernelSet::Fast, threads}};
    auto values = cast<EvaluableOpInterface>(source).evaluate(*operands, context);
    return failed(values) ? FailureOr<Tensor>(failure()) : values->front();
  }
  if (isCodes)
    if (Tensor weight = dequantizeWeight(op, *operands))
      return weight;
  return op->emitError("reads a weight that is not in a checkpoint");
}
