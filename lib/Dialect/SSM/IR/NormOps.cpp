//===- NormOps.cpp - Normalizations ---------------------------------------===//

#include "ShapeChecks.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;

/// Input, weight and optional bias agree on the number of columns.
static LogicalResult inferNorm(const ShapeChecker &check, Value input, Value weight, Value bias,
                               SmallVectorImpl<Type> &types) {
  if (failed(check.rank("input", input, 2)) || failed(check.rank("weight", weight, 1)) ||
      failed(check.isStatic("weight", weight)))
    return failure();
  int64_t columns = getDimSize(input, 1);
  if (failed(check.dim("weight", weight, 0, columns, "the number of columns of the input")))
    return failure();
  if (bias && (failed(check.rank("bias", bias, 1)) ||
               failed(check.dim("bias", bias, 0, columns, "the number of columns of the input"))))
    return failure();
  types.push_back(input.getType());
  return success();
}

LogicalResult RMSNormOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                          Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(inferNorm(check, op.getInput(), op.getWeight(), nullptr, types)))
    return failure();
  int64_t columns = getDimSize(op.getWeight(), 0), groups = op.getGroups();
  if (groups < 1 || columns % groups != 0)
    return check.fail("groups must divide the " + Twine(columns) + " columns, but is " +
                      Twine(groups));
  return success();
}

LogicalResult LayerNormOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                            Adaptor op, SmallVectorImpl<Type> &types) {
  return inferNorm(ShapeChecker(getOperationName(), loc), op.getInput(), op.getWeight(),
                   op.getBias(), types);
}

SmallVector<OperandSite> RMSNormOp::getSites() {
  return {{&getWeightMutable(), SiteKind::Norm, "weight"}};
}

SmallVector<OperandSite> LayerNormOp::getSites() {
  return {{&getWeightMutable(), SiteKind::Norm, "weight"}};
}
