//===- MatrixLinear.cpp - Many tokens meet a weight, by dpas of f16 -------===//
//
// A sub-group has 32 tokens and one or two tiles of rows. Activations and floats of the weight are
// rounded to f16 (relative error 2^-11); codes are exact, and sums are f32.
//
// There are registers for one sum of each token and row, so sums are kept in units of the scale of
// the current group: they are multiplied by (scale before) / (scale now) where a group begins.
// Scales smaller than 2^-60, such as those of groups that are all 0, count as that.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "MatrixBlocks.h"
#include "MatrixWeight.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <numeric>

using namespace mlir;
using namespace mlir::ssm;

static constexpr int64_t kTokenBlocks = 4, kColumns = 16;
static constexpr int64_t kTokens = kTokenBlocks * MatrixBlocks::kRows;

/// Tiles of a sub-group: one where activations take no block loads, and where weights are decoded,
/// which needs more registers (ocloc for pvc counts spills of two).
static int64_t countTilesOfSubgroup(LinearOp op) {
  int64_t columns = cast<RankedTensorType>(op.getInput().getType()).getDimSize(1);
  return columns % 4 == 0 && columns >= 16 && !op.getScales() ? 2 : 1;
}

namespace {
/// Values that go through loops are the sums, token blocks within tiles, and the unit of each tile.
class MatrixLinearEmitter {
public:
  using Values = XeBuilder::Values;

  MatrixLinearEmitter(LaunchScope &scope, LinearOp op, Value firstToken)
      : scope(scope), k(scope.k), op(op), weight(scope, op),
        tokens(scope.countTokens(op.getInput())),
        inputs(k, *scope.getPlace(op.getInput()), tokens, weight.getColumns(),
               std::gcd(weight.getGroupSize(), kColumns)),
        firstToken(firstToken), numTiles(countTilesOfSubgroup(op)) {}

  void run(Value group);

private:
  Values addGroup(ArrayRef<Value> tiles, Value base, int64_t columns, ValueRange before);
  Values addStep(ArrayRef<Value> tiles, const MatrixWeight::Step &step, ValueRange sums);
  void store(Value tile, ValueRange sums, Value unit);
  VectorType getSumType() { return VectorType::get({MatrixBlocks::kRows}, k.getF32Type()); }
  Value scaleSums(Value sums, Value factor) {
    return k.mulf(sums, vector::BroadcastOp::create(k, getSumType(), factor));
  }

  LaunchScope &scope;
  XeBuilder &k;
  LinearOp op;
  MatrixWeight weight;
  Value tokens;
  MatrixBlocks inputs;
  Value firstToken;
  int64_t numTiles;
};
} // namespace

MatrixLinearEmitter::Values MatrixLinearEmitter::addStep(ArrayRef<Value> tiles,
                                                         const MatrixWeight::Step &step,
                                                         ValueRange sums) {
  Value column = k.add(step.base, step.offset);
  Values a, after;
  for (int64_t block = 0; block < kTokenBlocks; ++block)
    a.push_back(inputs.load(k.add(firstToken, block * MatrixBlocks::kRows), column));
  for (Value tile : tiles) {
    Value b = weight.loadHalves(tile, step);
    for (Value rows : a)
      after.push_back(multiplyBlocks(k, rows, b, sums[after.size()]));
  }
  return after;
}

MatrixLinearEmitter::Values MatrixLinearEmitter::addGroup(ArrayRef<Value> tiles, Value base,
                                                          int64_t columns, ValueRange before) {
  Values sums(before.drop_back(numTiles)), units(before.take_back(numTiles));
  if (weight.isQuantized())
    for (auto [i, tile] : llvm::enumerate(tiles)) {
      Value scale = weight.loadScale(tile, base), least = k.f32(0x1p-60f);
      Value isSmall = arith::CmpFOp::create(k, arith::CmpFPredicate::OLT,
                                            math::AbsFOp::create(k, scale), least);
      Value unit = arith::SelectOp::create(k, isSmall, least, scale);
      Value ratio = arith::DivFOp::create(k, units[i], unit);
      for (int64_t block = 0; block < kTokenBlocks; ++block) {
        Value &sum = sums[i * kTokenBlocks + block];
        sum = scaleSums(sum, ratio);
      }
      units[i] = unit;
    }
  sums = k.overSteps(columns, kColumns, sums, [&](Value offset, int64_t count, ValueRange state) {
    return addStep(tiles, {base, offset, count}, state);
  });
  sums.append(units);
  return sums;
}

void MatrixLinearEmitter::store(Value tile, ValueRange sums, Value unit) {
  Value row = weight.getRow(tile);
  k.ifThen(weight.isRow(row), [&] {
    Value bias = op.getBias() ? scope.load(op.getBias(), row) : Value();
    for (auto [block, sum] : llvm::enumerate(sums)) {
      Value scaled = weight.isQuantized() ? scaleSums(sum, unit) : sum;
      for (int64_t i = 0; i < MatrixBlocks::kRows; ++i) {
        Value token = k.add(firstToken, static_cast<int64_t>(block) * MatrixBlocks::kRows + i);
        k.ifThen(k.isLess(token, tokens), [&] {
          Value y = vector::ExtractOp::create(k, scaled, i);
          scope.store(op.getResult(), {token, row}, bias ? k.addf(y, bias) : y);
        });
      }
    }
  });
}

void MatrixLinearEmitter::run(Value group) {
  Value first = k.mul(k.add(k.mul(group, XeBuilder::kSubgroups), k.subgroup), numTiles);
  k.ifThen(k.isLess(first, k.index(weight.getNumTiles())), [&] {
    Values tiles, known;
    for (int64_t i = 0; i < numTiles; ++i) {
      tiles.push_back(k.add(first, i));
      known.push_back(arith::MinUIOp::create(k, tiles[i], k.index(weight.getNumTiles() - 1)));
    }
    Value zeros = arith::ConstantOp::create(k, k.getZeroAttr(getSumType()));
    Values state(numTiles * kTokenBlocks, zeros);
    state.append(numTiles, k.f32(1));
    state = k.overSteps(weight.getColumns(), weight.getGroupSize(), state,
                        [&](Value base, int64_t count, ValueRange before) {
                          return addGroup(known, base, count, before);
                        });
    ValueRange sums(state), units = sums.take_back(numTiles);
    for (int64_t i = 0; i < numTiles; ++i)
      store(tiles[i], sums.slice(i * kTokenBlocks, kTokenBlocks), units[i]);
  });
}

Grid ssm::getMatrixLinearGrid(LinearOp op) {
  int64_t tiles = MatrixWeight::countTiles(op);
  return {llvm::divideCeilSigned(tiles, XeBuilder::kSubgroups * countTilesOfSubgroup(op)), kTokens};
}

void ssm::emitMatrixLinear(LaunchScope &scope, LinearOp op, GroupIndex at) {
  MatrixLinearEmitter(scope, op, at.token).run(at.group);
}
