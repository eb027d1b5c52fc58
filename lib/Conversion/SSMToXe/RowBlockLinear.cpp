//===- RowBlockLinear.cpp - Many tokens meet a weight of rows -------------===//
//
// In f32, for devices without dpas and for packed codes in rows. A sub-group has 4 rows and 4
// tokens, of which its lanes read columns side by side; the sub-groups of a work-group share the
// rows. Each lane has partial sums of all 16 pairs, and in the end the whole sum of one.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "WeightNumbers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

static constexpr int64_t kRows = 4, kTokens = 4, kLanes = XeBuilder::kLanes;
static_assert(kRows * kTokens == kLanes, "a lane has one of the sums");

static int64_t countRows(LinearOp op) {
  return cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
}

Grid ssm::getRowBlockGrid(LinearOp op) {
  return {llvm::divideCeilSigned(countRows(op), kRows), kTokens * XeBuilder::kSubgroups};
}

/// Sum i of all lanes, in lane i: lanes whose numbers differ in one bit exchange half of their
/// sums.
static Value sumToLanes(XeBuilder &k, XeBuilder::Values sums) {
  for (int64_t distance = kLanes / 2; distance > 0; distance /= 2) {
    Value isUpper = k.isLess(k.index(distance - 1), k.rem(k.lane, 2 * distance));
    for (int64_t i = 0; i < distance; ++i) {
      Value kept = k.select(isUpper, sums[i + distance], sums[i]);
      Value given = k.select(isUpper, sums[i], sums[i + distance]);
      sums[i] = k.addf(kept, k.shuffleXor(given, distance));
    }
  }
  return sums[0];
}

void ssm::emitRowBlock(LaunchScope &scope, LinearOp op, GroupIndex at) {
  using Values = XeBuilder::Values;
  XeBuilder &k = scope.k;
  WeightNumbers weight(scope, op);
  const int64_t columns = cast<RankedTensorType>(op.getInput().getType()).getDimSize(1);
  Value numRows = k.index(countRows(op)), numTokens = scope.countTokens(op.getInput());
  Value firstRow = k.mul(at.group, kRows);
  Value firstToken = k.add(at.token, k.mul(k.subgroup, kTokens));
  auto upTo = [&](Value first, int64_t i, Value end) {
    return k.min(k.add(first, i), arith::SubIOp::create(k, end, k.index(1)));
  };
  auto addStep = [&](Value first, int64_t count, ValueRange before) {
    Value column = k.add(first, k.lane);
    // The last columns leave some lanes without one.
    Value isColumn = count < kLanes ? k.isLess(column, k.index(columns)) : Value();
    if (isColumn)
      column = k.min(column, k.index(columns - 1));
    auto orZero = [&](Value number) {
      return isColumn ? k.select(isColumn, number, k.f32(0)) : number;
    };
    Values factors, sums(before);
    for (int64_t i = 0; i < kRows; ++i)
      factors.push_back(orZero(weight.load(upTo(firstRow, i, numRows), column)));
    for (int64_t token = 0; token < kTokens; ++token) {
      Value x = orZero(scope.load(op.getInput(), {upTo(firstToken, token, numTokens), column}));
      for (int64_t row = 0; row < kRows; ++row) {
        Value &sum = sums[token * kRows + row];
        sum = k.fma(x, factors[row], sum);
      }
    }
    return sums;
  };
  k.ifThen(k.isLess(firstToken, numTokens), [&] {
    Values sums = k.overSteps(columns, kLanes, Values(kLanes, k.f32(0)), addStep);
    Value sum = sumToLanes(k, sums);
    Value row = k.add(firstRow, k.rem(k.lane, kRows));
    Value token = k.add(firstToken, k.floorDiv(k.lane, kRows));
    k.ifThen(k.both(k.isLess(row, numRows), k.isLess(token, numTokens)), [&] {
      Value y = op.getBias() ? k.addf(sum, scope.load(op.getBias(), row)) : sum;
      scope.store(op.getResult(), {token, row}, y);
    });
  });
}
