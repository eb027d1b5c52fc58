//===- BlockLinear.cpp - Many tokens meet a weight in tiles, in f32 -------===//
//
// For devices without dpas. A sub-group has a tile of rows and 16 tokens, whose activations are the
// same number in all lanes. Each token's columns of a step come together: rows of activations may
// lie a power of two apart, where they push each other out of a cache.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "MatrixWeight.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

static constexpr int64_t kTokens = 16, kColumns = 8;

Grid ssm::getBlockLinearGrid(LinearOp op) {
  return {llvm::divideCeilSigned(MatrixWeight::countTiles(op), XeBuilder::kSubgroups), kTokens};
}

void ssm::emitBlockLinear(LaunchScope &scope, LinearOp op, GroupIndex at) {
  using Values = XeBuilder::Values;
  XeBuilder &k = scope.k;
  MatrixWeight weight(scope, op);
  Value numTokens = scope.countTokens(op.getInput());
  Value tile = k.add(k.mul(at.group, XeBuilder::kSubgroups), k.subgroup);
  Value last = arith::SubIOp::create(k, numTokens, k.index(1));
  Values tokens, known;
  for (int64_t i = 0; i < kTokens; ++i) {
    tokens.push_back(k.add(at.token, i));
    known.push_back(k.min(tokens[i], last));
  }
  auto addStep = [&](const MatrixWeight::Step &step, ValueRange sums) {
    Values after(sums), factors = weight.loadFloats(tile, step);
    Value first = k.add(step.base, step.offset);
    for (auto [token, sum] : llvm::zip_equal(known, after))
      for (auto [i, factor] : llvm::enumerate(factors)) {
        Value column = k.add(first, static_cast<int64_t>(i));
        sum = k.fma(scope.load(op.getInput(), {token, column}), factor, sum);
      }
    return after;
  };
  auto addGroup = [&](Value base, int64_t columns, ValueRange sums) {
    return k.overSteps(columns, kColumns, sums, [&](Value offset, int64_t count, ValueRange state) {
      return addStep({base, offset, count}, state);
    });
  };
  k.ifThen(k.isLess(tile, k.index(weight.getNumTiles())), [&] {
    Values zeros(kTokens, k.f32(0));
    Values sums = k.overSteps(weight.getColumns(), weight.getGroupSize(), zeros, addGroup);
    Value row = weight.getRow(tile);
    k.ifThen(weight.isRow(row), [&] {
      Value bias = op.getBias() ? scope.load(op.getBias(), row) : Value();
      for (auto [token, sum] : llvm::zip_equal(tokens, sums))
        k.ifThen(k.isLess(token, numTokens), [&, token = token, sum = sum] {
          scope.store(op.getResult(), {token, row}, bias ? k.addf(sum, bias) : sum);
        });
    });
  });
}
