//===- ConvOps.cpp - Causal convolution -----------------------------------===//

#include "FormatChecks.h"
#include "ShapeChecks.h"
#include "WeightOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Packing.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;

LogicalResult CausalConv1dOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                               Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(check.rank("input", op.getInput(), 2)) ||
      failed(check.rank("weight", op.getWeight(), 3)) ||
      failed(check.rank("state", op.getState(), 2)) ||
      failed(check.isStatic("weight", op.getWeight())) ||
      failed(check.isStatic("state", op.getState())))
    return failure();
  int64_t channels = getDimSize(op.getWeight(), 0), taps = getDimSize(op.getState(), 0) + 1;
  int64_t stored = op.getPackedBits() ? ::ssmq::getPackedRowBytes(taps, *op.getPackedBits()) : taps;
  if (failed(check.dim("input", op.getInput(), 1, channels, "the number of rows of the weight")) ||
      failed(check.dim("state", op.getState(), 1, channels, "the number of rows of the weight")) ||
      failed(check.dim("weight", op.getWeight(), 1, 1,
                       "the number of input channels of a depthwise convolution")) ||
      failed(check.dim("weight", op.getWeight(), 2, stored,
                       op.getPackedBits() ? "the number of bytes of a packed row"
                                          : "the number of rows of the state plus one")) ||
      failed(check.quantization(op.getWeight(), op.getScales(), op.getZeroPoints(),
                                op.getGroupSize(), op.getPackedBits(), channels, taps)))
    return failure();
  if (op.getBias() &&
      (failed(check.rank("bias", op.getBias(), 1)) ||
       failed(check.dim("bias", op.getBias(), 0, channels, "the number of rows of the weight"))))
    return failure();
  types.append({op.getInput().getType(), op.getState().getType()});
  return success();
}

SmallVector<OperandSite> CausalConv1dOp::getSites() {
  return {{&getInputMutable(), SiteKind::Activation, "input"},
          {&getWeightMutable(), SiteKind::Weight, "weight"},
          {&getStateMutable(), SiteKind::Cache, "cache", /*headSize=*/0, /*insideOp=*/true}};
}
OpOperand *CausalConv1dOp::getWeightOperand() { return &getWeightMutable(); }
bool CausalConv1dOp::isWeightQuantized() { return getScales() != nullptr; }
LogicalResult CausalConv1dOp::setQuantizedWeight(Value codes, Value scales, Value zeroPoints,
                                                 int64_t groupSize) {
  assignQuantizedWeight(*this, codes, scales, zeroPoints, groupSize);
  return success();
}

SmallVector<std::pair<OpOperand *, OpResult>> CausalConv1dOp::getStates() {
  return {{&getStateMutable(), getOperation()->getResult(1)}};
}

LogicalResult CausalConv1dOp::verify() {
  return verifyStateFormat(*this, getStateFormatAttr(), getStateRangesAttr());
}
Attribute CausalConv1dOp::getFormatOfState() { return getStateFormatAttr(); }
LogicalResult CausalConv1dOp::setFormatOfState(Attribute format, DenseF32ArrayAttr ranges) {
  setStateFormatAttr(cast<FormatAttr>(format));
  setStateRangesAttr(ranges);
  return success();
}
