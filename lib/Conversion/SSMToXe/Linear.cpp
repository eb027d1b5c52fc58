//===- Linear.cpp - One token meets a weight of rows ----------------------===//
//
// Each sub-group has a row of the weight, whose columns its lanes read side by side.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "WeightNumbers.h"

using namespace mlir;
using namespace mlir::ssm;

Grid ssm::getLinearGrid(LinearOp op) {
  int64_t rows = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  return {llvm::divideCeilSigned(rows, XeBuilder::kSubgroups), 1};
}

void ssm::emitLinear(LaunchScope &scope, LinearOp op, GroupIndex at) {
  XeBuilder &k = scope.k;
  WeightNumbers weight(scope, op);
  int64_t columns = cast<RankedTensorType>(op.getInput().getType()).getDimSize(1);
  int64_t rows = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  Value row = k.add(k.mul(at.group, XeBuilder::kSubgroups), k.subgroup);
  k.ifThen(k.isLess(row, k.index(rows)), [&] {
    Value sum = k.loop(k.lane, k.index(columns), k.index(XeBuilder::kLanes), {k.f32(0)},
                       [&](Value column, ValueRange sums) {
                         Value x = scope.load(op.getInput(), {at.token, column});
                         Value w = weight.load(row, column);
                         return XeBuilder::Values{k.fma(x, w, sums[0])};
                       })[0];
    sum = k.sumSubgroup(sum);
    k.ifThen(k.isEqual(k.lane, k.index(0)), [&] {
      Value y = op.getBias() ? k.addf(sum, scope.load(op.getBias(), row)) : sum;
      scope.store(op.getResult(), {at.token, row}, y);
    });
  });
}
