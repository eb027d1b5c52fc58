//===- StateValue.cpp - States of ops, in f32 and as they are stored ------===//

#include "StateValue.h"

#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/StoredStates.h"
#include "ssmq/Formats/Encoding.h"
#include "llvm/Support/Error.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DType;
using ::ssmq::Tensor;

static ::ssmq::ValueLayout getLayout(QuantizableOpInterface op, const Tensor &state) {
  ::ssmq::ValueLayout layout = getStateLayout(op);
  layout.rows = state.getNumElements() / layout.columns;
  return layout;
}

/// The same bytes as another type.
static Tensor reinterpret(const Tensor &tensor, DType type, ArrayRef<int64_t> shape) {
  auto owner = std::make_shared<Tensor>(tensor);
  return Tensor::borrow(type, shape, owner->getRawData(), owner);
}

FailureOr<Tensor> mlir::ssm::loadState(QuantizableOpInterface op, const Tensor &state,
                                       const Tensor &scales) {
  if (!isStored(state))
    return state;
  std::shared_ptr<const ::ssmq::Format> format =
      cast<FormatAttr>(op.getFormatOfState()).getFormat();
  ::ssmq::ValueLayout layout = getLayout(op, state);
  ::ssmq::EncodedTensor encoded;
  encoded.codes = reinterpret(state, DType::I8, {layout.rows, state.getNumBytes() / layout.rows});
  if (scales)
    encoded.scales = reinterpret(scales, DType::I8,
                                 {scales.getNumElements(), static_cast<int64_t>(sizeof(uint16_t))});
  llvm::Expected<Tensor> values = ::ssmq::decode(*format, encoded, layout);
  if (!values)
    return op->emitOpError() << llvm::toString(values.takeError());
  return values->reshape(state.getShape());
}

FailureOr<SmallVector<Tensor>> mlir::ssm::storeState(QuantizableOpInterface op, const Tensor &y,
                                                     const Tensor &next, const Tensor &state) {
  if (!isStored(state))
    return SmallVector<Tensor>{y, next};
  std::shared_ptr<const ::ssmq::Format> format =
      cast<FormatAttr>(op.getFormatOfState()).getFormat();
  llvm::Expected<::ssmq::EncodedTensor> encoded =
      ::ssmq::encode(*format, next, getLayout(op, next));
  if (!encoded)
    return op->emitOpError() << llvm::toString(encoded.takeError());
  SmallVector<Tensor> results = {y,
                                 reinterpret(encoded->codes, state.getDType(), state.getShape())};
  if (encoded->scales)
    results.push_back(
        reinterpret(encoded->scales, DType::F16, getStoredState(op)->scales.getShape()));
  return results;
}
