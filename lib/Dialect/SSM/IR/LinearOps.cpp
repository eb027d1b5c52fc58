//===- LinearOps.cpp - Linear and embedding -------------------------------===//

#include "ShapeChecks.h"
#include "WeightOps.h"
#include "mlir/IR/OpImplementation.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Packing.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;

LogicalResult LinearOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                         Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(check.rank("input", op.getInput(), 2)) ||
      failed(check.rank("weight", op.getWeight(), 2)) ||
      failed(check.isStatic("weight", op.getWeight())))
    return failure();
  int64_t rows = getDimSize(op.getWeight(), 0), columns = getDimSize(op.getInput(), 1);
  if (ShapedType::isDynamic(columns))
    return check.fail("input must have a static number of columns");
  int64_t stored =
      op.getPackedBits() ? ::ssmq::getPackedRowBytes(columns, *op.getPackedBits()) : columns;
  if (failed(check.dim("weight", op.getWeight(), 1, stored,
                       op.getPackedBits() ? "the number of bytes of a packed row"
                                          : "the number of columns of the input")) ||
      failed(check.quantization(op.getWeight(), op.getScales(), op.getZeroPoints(),
                                op.getGroupSize(), op.getPackedBits(), rows, columns)))
    return failure();
  if (op.getBias() &&
      (failed(check.rank("bias", op.getBias(), 1)) ||
       failed(check.dim("bias", op.getBias(), 0, rows, "the number of rows of the weight"))))
    return failure();
  types.push_back(getActivationType(op.getInput(), rows));
  return success();
}

SmallVector<OperandSite> LinearOp::getSites() {
  return {{&getInputMutable(), SiteKind::Activation, "input"},
          {&getWeightMutable(), SiteKind::Weight, "weight"}};
}
OpOperand *LinearOp::getWeightOperand() { return &getWeightMutable(); }
bool LinearOp::isWeightQuantized() { return getScales() != nullptr; }
LogicalResult LinearOp::setQuantizedWeight(Value codes, Value scales, Value zeroPoints,
                                           int64_t groupSize) {
  assignQuantizedWeight(*this, codes, scales, zeroPoints, groupSize);
  return success();
}

LogicalResult EmbeddingOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                            Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(check.rank("weight", op.getWeight(), 2)) ||
      failed(check.isStatic("weight", op.getWeight())))
    return failure();
  int64_t rows = getDimSize(op.getWeight(), 0), columns = getDimSize(op.getWeight(), 1);
  if (op.getPackedBits()) {
    int64_t bits = std::max<int64_t>(1, *op.getPackedBits());
    int64_t stored = columns;
    columns = op.getColumns() ? static_cast<int64_t>(*op.getColumns()) : stored * 8 / bits;
    if (columns < 1 || ::ssmq::getPackedRowBytes(columns, bits) != stored)
      return check.fail("columns do not fit packed rows of " + Twine(stored) + " bytes");
  } else if (op.getColumns()) {
    return check.fail("columns belong to a packed weight");
  }
  if (failed(check.quantization(op.getWeight(), op.getScales(), op.getZeroPoints(),
                                op.getGroupSize(), op.getPackedBits(), rows, columns)))
    return failure();
  types.push_back(getActivationType(op.getIds(), columns));
  return success();
}

SmallVector<OperandSite> EmbeddingOp::getSites() {
  return {{&getWeightMutable(), SiteKind::Weight, "weight"}};
}
OpOperand *EmbeddingOp::getWeightOperand() { return &getWeightMutable(); }
bool EmbeddingOp::isWeightQuantized() { return getScales() != nullptr; }
LogicalResult EmbeddingOp::setQuantizedWeight(Value codes, Value scales, Value zeroPoints,
                                              int64_t groupSize) {
  assignQuantizedWeight(*this, codes, scales, zeroPoints, groupSize);
  return success();
}

#define GET_OP_CLASSES
#include "ssmq/Dialect/SSM/IR/SSMOps.cpp.inc"
