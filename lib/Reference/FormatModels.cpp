//===- FormatModels.cpp - Evaluation of ops with formats ------------------===//

#include "Models.h"
#include "StateRounding.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Encoding.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Reference/MoveDim.h"
#include "llvm/Support/Error.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::StaticRanges;
using ::ssmq::Tensor;
using Results = FailureOr<SmallVector<Tensor>>;

static std::optional<StaticRanges> getRanges(const ::ssmq::Format &format,
                                             DenseF32ArrayAttr bounds) {
  if (!format.needsRanges())
    return std::nullopt;
  return StaticRanges::fromBounds(format, bounds.asArrayRef());
}

static const StaticRanges *getPointer(const std::optional<StaticRanges> &ranges) {
  return ranges ? &*ranges : nullptr;
}

namespace {

struct DequantizeModel : EvaluableOpInterface::ExternalModel<DequantizeModel, DequantizeOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands,
                   const EvaluationContext &context) const {
    auto dequantize = cast<DequantizeOp>(op);
    ::ssmq::EncodedTensor encoded{operands[0], operands.size() > 1 ? operands[1] : Tensor()};
    llvm::Expected<Tensor> values = ::ssmq::decode(*dequantize.getFormat().getFormat(), encoded,
                                                   dequantize.getLayout(), context.kernels.threads);
    if (!values)
      return op->emitOpError() << llvm::toString(values.takeError());
    ::ssmq::Shape shape(dequantize.getType().getShape());
    unsigned channelDim = dequantize.getChannelDim();
    if (channelDim == 0)
      return SmallVector<Tensor>{values->reshape(shape)};
    int64_t channels = shape[channelDim];
    shape.erase(shape.begin() + channelDim);
    shape.insert(shape.begin(), channels);
    return SmallVector<Tensor>{moveDim(values->reshape(shape), 0, channelDim)};
  }
};

struct FakeQuantizeModel : EvaluableOpInterface::ExternalModel<FakeQuantizeModel, FakeQuantizeOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands,
                   const EvaluationContext &context) const {
    auto fake = cast<FakeQuantizeOp>(op);
    std::shared_ptr<const ::ssmq::Format> format = fake.getFormat().getFormat();
    std::optional<StaticRanges> ranges = getRanges(*format, fake.getRangesAttr());
    int64_t columns = fake.getLayout().columns;
    llvm::Expected<Tensor> rounded =
        format->round(operands[0], fake.getLayout(operands[0].getNumElements() / columns),
                      getPointer(ranges), context.kernels.threads);
    if (rounded)
      return SmallVector<Tensor>{*rounded};
    InFlightDiagnostic error = op->emitOpError();
    if (std::optional<StringRef> site = fake.getSite())
      error << "site '" << *site << "': ";
    return error << llvm::toString(rounded.takeError());
  }
};

/// Codes are what ssm.fake_quantize rounds to, divided by the scales.
struct QuantizeModel : EvaluableOpInterface::ExternalModel<QuantizeModel, QuantizeOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor> operands,
                   const EvaluationContext &context) const {
    auto quantize = cast<QuantizeOp>(op);
    std::shared_ptr<const ::ssmq::Format> format = quantize.getFormat().getFormat();
    std::optional<StaticRanges> ranges = getRanges(*format, quantize.getRangesAttr());
    int64_t tokens = operands[0].getDim(0), columns = operands[0].getDim(1);
    llvm::Expected<Tensor> rounded =
        format->round(operands[0], {::ssmq::SiteKind::Activation, tokens, columns, 0},
                      getPointer(ranges), context.kernels.threads);
    if (!rounded)
      return op->emitOpError() << llvm::toString(rounded.takeError());
    auto shapeOf = [&](Value result) {
      return ::ssmq::Shape{tokens, cast<RankedTensorType>(result.getType()).getDimSize(1)};
    };
    Tensor codes = Tensor::zeros(::ssmq::DType::I8, shapeOf(quantize.getCodes()));
    Tensor scales = Tensor::empty(::ssmq::DType::F32, shapeOf(quantize.getScales()));
    Tensor sums = Tensor::zeros(::ssmq::DType::I32, shapeOf(quantize.getSums()));
    int64_t scaleColumns = QuantizeOp::getScaleColumns(quantize.getFormat(), columns);
    auto groupSize = std::min<int64_t>(quantize.getGroupSize(), columns);
    int64_t paddedGroup = llvm::alignTo(groupSize, quantize.getBlock());
    const ::ssmq::Numerics &numerics = format->getNumerics();
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t column = 0; column < columns; ++column) {
        float &scale = scales.mutableData<float>()[t * scales.getDim(1) + column / scaleColumns];
        if (column % scaleColumns == 0) {
          ArrayRef<float> run = operands[0].data<float>().slice(
              t * columns + column, std::min(scaleColumns, columns - column));
          ::ssmq::RunRange range = numerics.findRange(run);
          if (ranges) {
            range.low = ranges->getRanges()[0].low;
            range.high = ranges->getRanges()[0].high;
          }
          ::ssmq::RunGrid grid;
          numerics.fit(range, grid);
          scale = grid.scale;
        }
        float value = rounded->data<float>()[t * columns + column];
        int code = scale == 0 ? 0 : static_cast<int>(std::nearbyint(value / scale));
        int64_t group = column / groupSize, place = group * paddedGroup + column % groupSize;
        codes.mutableData<int8_t>()[t * codes.getDim(1) + place] = static_cast<int8_t>(code);
        sums.mutableData<int32_t>()[t * sums.getDim(1) + group] += code;
      }
    return SmallVector<Tensor>{codes, scales, sums};
  }
};

} // namespace

StateRounding::StateRounding(QuantizableOpInterface op, DenseF32ArrayAttr bounds,
                             ::ssmq::StateHook next, bool eachToken)
    : op(op), next(next) {
  auto attribute = cast_or_null<FormatAttr>(op.getFormatOfState());
  if (!attribute || !eachToken)
    return;
  format = attribute.getFormat();
  layout = getStateLayout(op);
  ranges = getRanges(*format, bounds);
}

void StateRounding::operator()(MutableArrayRef<float> state) {
  ::ssmq::ValueLayout whole = layout;
  whole.rows = static_cast<int64_t>(state.size()) / layout.columns;
  if (llvm::Error error = format->roundInPlace(state, whole, getPointer(ranges))) {
    std::string message = llvm::toString(std::move(error));
    if (fault.empty())
      fault = std::move(message);
  }
  if (next)
    next(state);
}

LogicalResult StateRounding::takeFault() const {
  return fault.empty() ? success() : op->emitOpError() << fault;
}

void mlir::ssm::attachFormatModels(MLIRContext *context) {
  DequantizeOp::attachInterface<DequantizeModel>(*context);
  FakeQuantizeOp::attachInterface<FakeQuantizeModel>(*context);
  QuantizeOp::attachInterface<QuantizeModel>(*context);
}
