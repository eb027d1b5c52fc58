//===- ScanOps.cpp - State-space recurrences ------------------------------===//

#include "FormatChecks.h"
#include "ShapeChecks.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/StableScans.h"
#include "ssmq/Formats/Format.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;

/// The sites that both scans have, with the channels of a head of the input and of b and c.
template <typename OpTy>
static SmallVector<OperandSite> getScanSites(OpTy op, int64_t headDim, int64_t groupWidth) {
  SmallVector<OperandSite> sites = {{&op.getInputMutable(), SiteKind::Activation, "input", headDim},
                                    {&op.getDtMutable(), SiteKind::Activation, "dt"},
                                    {&op.getAMutable(), SiteKind::Parameter, "a"},
                                    {&op.getBMutable(), SiteKind::Activation, "b", groupWidth},
                                    {&op.getCMutable(), SiteKind::Activation, "c", groupWidth}};
  for (OpOperand &d : op.getDMutable())
    sites.push_back({&d, SiteKind::Parameter, "d"});
  sites.push_back({&op.getStateMutable(), SiteKind::State, "state", headDim, /*insideOp=*/true});
  return sites;
}

/// Checks the skip of a scan, one number for each of `rows`; results are as the input and the
/// state.
template <typename Adaptor>
static LogicalResult inferResults(ShapeChecker &check, Adaptor op, int64_t rows,
                                  const char *rowsAre, SmallVectorImpl<Type> &types) {
  if (op.getD() && (failed(check.rank("d", op.getD(), 1)) ||
                    failed(check.dim("d", op.getD(), 0, rows, rowsAre))))
    return failure();
  types.append({op.getInput().getType(), op.getState().getType()});
  if (op.getStateScales())
    types.push_back(op.getStateScales().getType());
  return success();
}

LogicalResult SelectiveScanOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                                Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  for (auto [name, value] : {std::pair<StringRef, Value>("input", op.getInput()),
                             {"dt", op.getDt()},
                             {"a", op.getA()},
                             {"b", op.getB()},
                             {"c", op.getC()},
                             {"state", op.getState()}})
    if (failed(check.rank(name, value, 2)))
      return failure();
  if (failed(check.isStatic("state", op.getState())))
    return failure();
  int64_t channels = getDimSize(op.getState(), 0), states = getDimSize(op.getState(), 1);
  const char *channelsAre = "the number of channels of the state";
  const char *statesAre = "the size of the state of a channel";
  if (failed(check.dim("input", op.getInput(), 1, channels, channelsAre)) ||
      failed(check.dim("dt", op.getDt(), 1, channels, channelsAre)) ||
      failed(check.sameTokens("dt", op.getDt(), op.getInput())) ||
      failed(check.dim("a", op.getA(), 0, channels, channelsAre)) ||
      failed(check.dim("a", op.getA(), 1, states, statesAre)) ||
      failed(check.dim("b", op.getB(), 1, states, statesAre)) ||
      failed(check.sameTokens("b", op.getB(), op.getInput())) ||
      failed(check.dim("c", op.getC(), 1, states, statesAre)) ||
      failed(check.sameTokens("c", op.getC(), op.getInput())))
    return failure();
  return inferResults(check, op, channels, channelsAre, types);
}

SmallVector<OperandSite> SelectiveScanOp::getSites() {
  return getScanSites(*this, /*headDim=*/0, /*groupWidth=*/0);
}

LogicalResult SSDScanOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                          Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  for (auto [name, value] : {std::pair<StringRef, Value>("input", op.getInput()),
                             {"dt", op.getDt()},
                             {"b", op.getB()},
                             {"c", op.getC()}})
    if (failed(check.rank(name, value, 2)))
      return failure();
  if (failed(check.rank("a", op.getA(), 1)) || failed(check.rank("state", op.getState(), 3)) ||
      failed(check.isStatic("state", op.getState())) || failed(check.isStatic("a", op.getA())))
    return failure();
  int64_t heads = getDimSize(op.getState(), 0), headDim = getDimSize(op.getState(), 1);
  int64_t states = getDimSize(op.getState(), 2), groupWidth = getDimSize(op.getB(), 1);
  const char *headsAre = "the number of heads of the state";
  if (failed(check.dim("input", op.getInput(), 1, heads * headDim,
                       "heads times channels of the state")) ||
      failed(check.dim("dt", op.getDt(), 1, heads, headsAre)) ||
      failed(check.sameTokens("dt", op.getDt(), op.getInput())) ||
      failed(check.dim("a", op.getA(), 0, heads, headsAre)) ||
      failed(check.sameTokens("b", op.getB(), op.getInput())) ||
      failed(check.dim("c", op.getC(), 1, groupWidth, "the number of columns of b")) ||
      failed(check.sameTokens("c", op.getC(), op.getInput())))
    return failure();
  if (ShapedType::isDynamic(groupWidth) || states == 0 || groupWidth == 0 ||
      groupWidth % states != 0 || heads % (groupWidth / states) != 0)
    return check.fail("b has " + Twine(groupWidth) +
                      " columns, which is no number of groups times the state size " +
                      Twine(states) + " that divides the " + Twine(heads) + " heads");
  return inferResults(check, op, heads, headsAre, types);
}

SmallVector<OperandSite> SSDScanOp::getSites() {
  return getScanSites(*this, getDimSize(getState(), 1), getDimSize(getState(), 2));
}

LogicalResult DiagonalScanOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                               Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(check.rank("input", op.getInput(), 2)) ||
      failed(check.rank("state", op.getState(), 2)) ||
      failed(check.isStatic("state", op.getState())))
    return failure();
  int64_t heads = getDimSize(op.getState(), 0), parts = getDimSize(op.getState(), 1);
  const char *headsAre = "the number of heads of the state";
  if (parts % 2 != 0)
    return check.fail("state has " + Twine(parts) +
                      " columns, which are not pairs of real and imaginary parts");
  if (failed(check.dim("input", op.getInput(), 1, heads, headsAre)))
    return failure();
  for (auto [name, value] :
       {std::pair<StringRef, Value>("a", op.getA()), {"b", op.getB()}, {"c", op.getC()}})
    if (failed(check.rank(name, value, 2)) || failed(check.dim(name, value, 0, heads, headsAre)) ||
        failed(check.dim(name, value, 1, parts, "the number of columns of the state")))
      return failure();
  return inferResults(check, op, heads, headsAre, types);
}

SmallVector<OperandSite> DiagonalScanOp::getSites() {
  // A head is a row.
  SmallVector<OperandSite> sites = {{&getInputMutable(), SiteKind::Activation, "input"},
                                    {&getAMutable(), SiteKind::Parameter, "a", 1},
                                    {&getBMutable(), SiteKind::Parameter, "b", 1},
                                    {&getCMutable(), SiteKind::Parameter, "c", 1}};
  for (OpOperand &d : getDMutable())
    sites.push_back({&d, SiteKind::Parameter, "d"});
  sites.push_back({&getStateMutable(), SiteKind::State, "state", /*headDim=*/1, /*insideOp=*/true});
  return sites;
}

LogicalResult DiagonalScanOp::verify() {
  if (FormatAttr format = getStateFormatAttr()) {
    ::ssmq::Sharing sharing = format.getFormat()->getSharing();
    if (sharing.kind == ::ssmq::Sharing::Group && sharing.groupSize % 2 != 0)
      return emitOpError() << "has a state in groups of " << sharing.groupSize
                           << ", which cut a complex number in two";
  }
  if (getStable() && failed(verifyStable(*this)))
    return failure();
  return verifyStateFormat(*this, getStateFormatAttr(), getStateRangesAttr(), getStateScales());
}

LogicalResult SelectiveScanOp::verify() {
  return verifyStateFormat(*this, getStateFormatAttr(), getStateRangesAttr(), getStateScales());
}

LogicalResult SSDScanOp::verify() {
  return verifyStateFormat(*this, getStateFormatAttr(), getStateRangesAttr(), getStateScales());
}
