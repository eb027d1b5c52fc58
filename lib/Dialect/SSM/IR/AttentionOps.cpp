//===- AttentionOps.cpp - Attention and rotary embedding ------------------===//

#include "ShapeChecks.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;

/// The width of an activation must be a positive number of heads of `headDim` columns.
static LogicalResult checkHeads(const ShapeChecker &check, StringRef name, Value value,
                                int64_t headDim) {
  int64_t width = getDimSize(value, 1);
  if (headDim > 0 && width > 0 && width % headDim == 0)
    return success();
  return check.fail(Twine(name) + " has " + Twine(width) +
                    " columns, which is no number of heads of head_dim " + Twine(headDim));
}

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                            Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  for (auto [name, value] : {std::pair<StringRef, Value>("query", op.getQuery()),
                             {"key", op.getKey()},
                             {"value", op.getValue()},
                             {"key_cache", op.getKeyCache()},
                             {"value_cache", op.getValueCache()}})
    if (failed(check.rank(name, value, 2)) ||
        failed(checkHeads(check, name, value, op.getHeadDim())))
      return failure();
  int64_t width = getDimSize(op.getKey(), 1);
  if (failed(check.sameTokens("key", op.getKey(), op.getQuery())) ||
      failed(check.sameTokens("value", op.getValue(), op.getQuery())) ||
      failed(check.dim("value", op.getValue(), 1, width, "the number of columns of the key")) ||
      failed(
          check.dim("key_cache", op.getKeyCache(), 1, width, "the number of columns of the key")) ||
      failed(check.dim("value_cache", op.getValueCache(), 1, width,
                       "the number of columns of the key")) ||
      failed(check.dim("value_cache", op.getValueCache(), 0, getDimSize(op.getKeyCache(), 0),
                       "the capacity of the key cache")))
    return failure();
  if (getDimSize(op.getQuery(), 1) % width != 0)
    return check.fail("query has " + Twine(getDimSize(op.getQuery(), 1) / op.getHeadDim()) +
                      " heads, which is no multiple of the " + Twine(width / op.getHeadDim()) +
                      " key heads");
  // The accessor of an I64Attr is unsigned.
  if (int64_t window = op.getWindow(); window < 0)
    return check.fail("window must not be negative, but is " + Twine(window));
  types.append({op.getQuery().getType(), op.getKeyCache().getType(), op.getValueCache().getType()});
  return success();
}

SmallVector<std::pair<OpOperand *, OpResult>> AttentionOp::getStates() {
  return {{&getKeyCacheMutable(), getOperation()->getResult(1)},
          {&getValueCacheMutable(), getOperation()->getResult(2)}};
}

SmallVector<OperandSite> AttentionOp::getSites() {
  // A row is rounded as it is written into its cache, where nothing changes it any more.
  int64_t headDim = getHeadDim();
  return {{&getQueryMutable(), SiteKind::Activation, "query", headDim},
          {&getKeyMutable(), SiteKind::Cache, "key_cache", headDim},
          {&getValueMutable(), SiteKind::Cache, "value_cache", headDim}};
}

LogicalResult RotaryOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                         Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(check.rank("input", op.getInput(), 2)) ||
      failed(checkHeads(check, "input", op.getInput(), op.getHeadDim())))
    return failure();
  if (op.getRotaryDim() < 2 || op.getRotaryDim() % 2 != 0 || op.getRotaryDim() > op.getHeadDim())
    return check.fail("rotary_dim must be even and at most head_dim " + Twine(op.getHeadDim()) +
                      ", but is " + Twine(op.getRotaryDim()));
  if (!(op.getTheta().convertToFloat() > 0))
    return check.fail("theta must be positive");
  types.push_back(op.getInput().getType());
  return success();
}
