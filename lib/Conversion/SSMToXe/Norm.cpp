//===- Norm.cpp - Normalizations ------------------------------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;

/// The sum over columns [begin, begin + columns) of a row, of what `term` makes of each number.
static Value sumRow(LaunchScope &scope, Value input, Value token, int64_t begin, int64_t columns,
                    function_ref<Value(Value)> term) {
  XeBuilder &k = scope.k;
  Value sum = k.loop(k.item, k.index(columns), k.index(XeBuilder::kItems), {k.f32(0)},
                     [&](Value column, ValueRange sums) {
                       Value number = scope.load(input, {token, k.add(column, begin)});
                       return XeBuilder::Values{k.addf(sums[0], term(number))};
                     })[0];
  return k.sumGroup(sum);
}

/// 1 / sqrt(sum / columns + eps)
static Value invertDeviation(XeBuilder &k, Value sum, int64_t columns, float eps) {
  Value mean = arith::DivFOp::create(k, sum, k.f32(static_cast<float>(columns)));
  return arith::DivFOp::create(k, k.f32(1), math::SqrtOp::create(k, k.addf(mean, k.f32(eps))));
}

void ssm::emitNorm(LaunchScope &scope, RMSNormOp op, Value token) {
  XeBuilder &k = scope.k;
  int64_t columns = cast<RankedTensorType>(op.getInput().getType()).getDimSize(1) / op.getGroups();
  for (int64_t part = 0; part < static_cast<int64_t>(op.getGroups()); ++part) {
    int64_t begin = part * columns;
    Value sum =
        sumRow(scope, op.getInput(), token, begin, columns, [&](Value x) { return k.mulf(x, x); });
    Value factor = invertDeviation(k, sum, columns, op.getEps().convertToFloat());
    k.overColumns(columns, [&](Value i) {
      Value column = k.add(i, begin);
      Value number = k.mulf(scope.load(op.getInput(), {token, column}), factor);
      scope.store(op.getResult(), {token, column},
                  k.mulf(number, scope.load(op.getWeight(), column)));
    });
  }
}

void ssm::emitNorm(LaunchScope &scope, LayerNormOp op, Value token) {
  XeBuilder &k = scope.k;
  int64_t columns = cast<RankedTensorType>(op.getInput().getType()).getDimSize(1);
  Value sum = sumRow(scope, op.getInput(), token, 0, columns, [](Value x) { return x; });
  Value mean = arith::DivFOp::create(k, sum, k.f32(static_cast<float>(columns)));
  auto centred = [&](Value x) -> Value { return arith::SubFOp::create(k, x, mean); };
  Value squares = sumRow(scope, op.getInput(), token, 0, columns, [&](Value x) {
    Value difference = centred(x);
    return k.mulf(difference, difference);
  });
  Value factor = invertDeviation(k, squares, columns, op.getEps().convertToFloat());
  k.overColumns(columns, [&](Value column) {
    Value number = k.mulf(centred(scope.load(op.getInput(), {token, column})), factor);
    number = k.mulf(number, scope.load(op.getWeight(), column));
    if (op.getBias())
      number = k.addf(number, scope.load(op.getBias(), column));
    scope.store(op.getResult(), {token, column}, number);
  });
}
