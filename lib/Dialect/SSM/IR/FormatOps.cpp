//===- FormatOps.cpp - Values in formats ----------------------------------===//

#include "FormatChecks.h"
#include "ssmq/Dialect/SSM/IR/StoredStates.h"
#include "ssmq/Formats/Encoding.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/Support/Error.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;
using ::ssmq::ValueLayout;

/// LLVM's own checks of sizes are asserts that are compiled out.
static bool isSmallAndStatic(RankedTensorType type) {
  return type.hasStaticShape() &&
         ::ssmq::getCheckedNumBytes(::ssmq::DType::F32, type.getShape()).has_value();
}

static LogicalResult verifyBytes(DequantizeOp op, StringRef name, Value bytes, int64_t rows,
                                 int64_t columns) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(bytes.getType()).getShape();
  if (shape == ArrayRef<int64_t>{rows, columns})
    return success();
  return op.emitOpError() << name << " must be " << rows << " x " << columns << " bytes, but are "
                          << bytes.getType();
}

ValueLayout DequantizeOp::getLayout() {
  int64_t rows = getCodes().getType().getDimSize(0), elements = getType().getNumElements();
  // A stored value that has heads (those of ssm.diagonal_scan) has one in each row.
  return {SiteKind::Weight, rows, rows ? elements / rows : 0, /*headSize=*/1};
}

LogicalResult DequantizeOp::verify() {
  RankedTensorType type = getType();
  if (!isSmallAndStatic(type) || !isSmallAndStatic(getCodes().getType()) ||
      (getScales() && !isSmallAndStatic(getScales().getType())))
    return emitOpError("needs static shapes of less than 2^40 elements");
  int64_t channelDim = getChannelDim();
  if (channelDim < 0 || channelDim >= std::max<int64_t>(1, type.getRank()))
    return emitOpError("channel_dim ") << channelDim << " is no dimension of " << type;
  ValueLayout layout = getLayout();
  bool wrongRows = channelDim > 0 && layout.rows != type.getDimSize(channelDim);
  if (layout.rows < 1 || layout.getNumElements() != type.getNumElements() || wrongRows)
    return emitOpError() << layout.rows << " rows of codes cannot be cut from " << type;
  llvm::Expected<::ssmq::EncodedShape> shape =
      ::ssmq::getEncodedShape(*getFormat().getFormat(), layout);
  if (!shape)
    return emitOpError() << llvm::toString(shape.takeError());
  if (failed(verifyBytes(*this, "codes", getCodes(), shape->rows, shape->rowBytes)))
    return failure();
  if (!getScales() != !shape->hasScales())
    return emitOpError() << (getScales() ? "has scales, which format '" : "needs the scales of '")
                         << getFormat().getSpelling() << (getScales() ? "' does not have" : "'");
  if (!shape->hasScales())
    return success();
  return verifyBytes(*this, "scales", getScales(), shape->numScales, shape->scaleBytes);
}

ValueLayout FakeQuantizeOp::getLayout(int64_t tokens) {
  return {SiteKind::Activation, tokens, getType().getShape().back(),
          static_cast<int64_t>(getHeadSize())};
}

LogicalResult FakeQuantizeOp::verify() {
  ArrayRef<int64_t> shape = getType().getShape();
  if (shape.empty() || ShapedType::isDynamic(shape.back()) || shape.back() < 1 ||
      shape.back() >= int64_t(1) << 40)
    return emitOpError("needs a last dimension of 1 to 2^40 channels, but reads ") << getType();
  return verifyFormat(*this, getFormat(), getLayout(), getRangesAttr());
}

LogicalResult mlir::ssm::verifyFormat(Operation *op, FormatAttr attribute,
                                      const ValueLayout &layout, DenseF32ArrayAttr ranges) {
  std::shared_ptr<const ::ssmq::Format> format = attribute.getFormat();
  if (llvm::Error error = format->checkLayout(layout))
    return op->emitOpError() << llvm::toString(std::move(error));
  ArrayRef<float> bounds = ranges ? ranges.asArrayRef() : ArrayRef<float>();
  if (llvm::Error error = ::ssmq::StaticRanges::checkBounds(*format, layout, bounds))
    return op->emitOpError() << llvm::toString(std::move(error));
  return success();
}

ValueLayout mlir::ssm::getStateLayout(QuantizableOpInterface op) {
  for (const OperandSite &site : op.getSites()) {
    if (!site.insideOp)
      continue;
    auto type = cast<RankedTensorType>(site.operand->get().getType());
    int64_t columns = type.getShape().back();
    ValueLayout layout{site.kind, 1, columns, site.headSize};
    if (!layout.rowsAreTokens())
      layout.rows = columns ? type.getNumElements() / columns : 0;
    return layout;
  }
  return {};
}

/// The type of the state that the op rounds itself.
static RankedTensorType getStateType(QuantizableOpInterface op) {
  for (const OperandSite &site : op.getSites())
    if (site.insideOp)
      return cast<RankedTensorType>(site.operand->get().getType());
  return {};
}

static LogicalResult verifyStoredState(QuantizableOpInterface op, RankedTensorType state,
                                       Value scales) {
  std::optional<StoredState> stored = getStoredState(op);
  if (!stored || stored->elementType != state.getElementType())
    return op->emitOpError() << "stores no state of type " << state << " in its format";
  if (scales ? scales.getType() != stored->scales : bool(stored->scales)) {
    InFlightDiagnostic diagnostic = op->emitOpError() << "needs ";
    if (stored->scales)
      return diagnostic << "state scales of type " << stored->scales;
    return diagnostic << "no state scales in its format";
  }
  return success();
}

LogicalResult mlir::ssm::verifyStateFormat(QuantizableOpInterface op, FormatAttr format,
                                           DenseF32ArrayAttr ranges, Value scales) {
  if (!format && ranges)
    return op->emitOpError("state_ranges belong to a state_format");
  if (format && failed(verifyFormat(op, format, getStateLayout(op), ranges)))
    return failure();
  RankedTensorType state = getStateType(op);
  if (!state.getElementType().isF32())
    return verifyStoredState(op, state, scales);
  if (scales)
    return op->emitOpError("has scales for a state in f32");
  return success();
}
