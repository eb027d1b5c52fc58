//===- FormatModels.cpp - Evaluation of ops with formats ------------------===//

#include "Models.h"
#include "StateRounding.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Encoding.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Reference/MoveDim.h"
#include "llvm/Support/Error.h"

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
}
