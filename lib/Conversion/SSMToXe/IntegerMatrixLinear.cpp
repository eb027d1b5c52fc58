//===- IntegerMatrixLinear.cpp - Many tokens, by dpas of i8 ---------------===//
//
// A sub-group has 32 tokens and a tile of rows. Products are summed in i32 over a group of the
// weight, then scaled and summed in f32.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "MatrixBlocks.h"
#include "TiledCodes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

/// A dpas takes 8 words of 4 bytes of each row of the weight.
static constexpr int64_t kTokenBlocks = 4, kRows = MatrixBlocks::kRows, kColumns = 32, kWords = 8;
static constexpr int64_t kTokens = kTokenBlocks * kRows;

namespace {
class IntegerMatrixEmitter {
public:
  using Values = XeBuilder::Values;

  IntegerMatrixEmitter(LaunchScope &scope, IntegerLinearOp op, Value firstToken)
      : scope(scope), k(scope.k), op(op), weight(scope, op.getWeight(), op.getWeightScales(),
                                                 op.getZeroPoints(), getIntegerLayout(op)),
        tokens(scope.countTokens(op.getCodes())),
        codes(k, *scope.getPlace(op.getCodes()), tokens, weight.layout.getPaddedColumns(),
              weight.layout.getBlockColumns()),
        firstToken(firstToken) {}

  void run(Value group);

private:
  VectorType getType(Type element) { return VectorType::get({kRows}, element); }
  Value splat(Value number) {
    return vector::BroadcastOp::create(k, getType(number.getType()), number);
  }
  Value loadBytes(Value tile, Value block, int64_t count);
  Values addGroup(Value tile, Value group, int64_t blocks, ValueRange sums);
  Value loadOfTokens(const Place &place, int64_t block, Value column);
  void store(Value tile, ValueRange sums);
  bool hasScaleAGroup() { return op.getScaleColumns() < op.getColumns(); }

  LaunchScope &scope;
  XeBuilder &k;
  IntegerLinearOp op;
  TiledCodes weight;
  Value tokens;
  MatrixBlocks codes;
  Value firstToken;
};
} // namespace

/// vector<32xi8>, 0 beyond `count` blocks.
Value IntegerMatrixEmitter::loadBytes(Value tile, Value block, int64_t count) {
  Values words;
  for (int64_t i = 0; i < count; ++i)
    llvm::append_range(words, weight.toSignedBytes(weight.loadWord(tile, k.add(block, i))));
  words.resize(kWords, k.i32(0));
  auto type = VectorType::get({kWords}, k.getI32Type());
  return vector::BitCastOp::create(k, VectorType::get({kColumns}, k.getI8Type()),
                                   vector::FromElementsOp::create(k, type, words).getResult());
}

/// The numbers of 8 tokens in a column, the same in all lanes.
Value IntegerMatrixEmitter::loadOfTokens(const Place &place, int64_t block, Value column) {
  Value last = arith::SubIOp::create(k, tokens, k.index(1));
  Values numbers;
  for (int64_t i = 0; i < kRows; ++i) {
    Value token = k.add(firstToken, block * kRows + i);
    numbers.push_back(k.load(place, {arith::MinUIOp::create(k, token, last), column}));
  }
  return vector::FromElementsOp::create(k, getType(numbers[0].getType()), numbers);
}

IntegerMatrixEmitter::Values IntegerMatrixEmitter::addGroup(Value tile, Value group, int64_t blocks,
                                                            ValueRange sums) {
  const int64_t width = weight.layout.getBlockColumns();
  Value first = k.mul(group, weight.layout.getGroupBlocks());
  Value zeros = arith::ConstantOp::create(k, k.getZeroAttr(getType(k.getI32Type())));
  Values products =
      k.overSteps(blocks, kColumns / width, Values(kTokenBlocks, zeros),
                  [&](Value offset, int64_t count, ValueRange before) {
                    Value block = k.add(first, offset);
                    Value b = loadBytes(tile, block, count), column = k.mul(block, width);
                    Values after;
                    for (auto [i, sum] : llvm::enumerate(before)) {
                      Value token = k.add(firstToken, static_cast<int64_t>(i) * kRows);
                      after.push_back(multiplyBlocks(k, codes.load(token, column), b, sum));
                    }
                    return after;
                  });
  Value scale = splat(weight.loadScale(tile, group)), zeroPoint;
  if (weight.hasZeroPoints())
    zeroPoint = splat(weight.loadZeroPoint(tile, group));
  Values after;
  for (auto [i, product] : llvm::enumerate(products)) {
    if (zeroPoint) {
      Value ofCodes = loadOfTokens(*scope.getPlace(op.getSums()), i, group);
      product = arith::SubIOp::create(k, product,
                                      arith::MulIOp::create(k, ofCodes, zeroPoint).getResult());
    }
    Value factor = scale;
    if (hasScaleAGroup()) {
      Value column = k.floorDiv(group, op.getScaleColumns() / weight.layout.getGroupSize());
      factor = k.mulf(scale, loadOfTokens(*scope.getPlace(op.getScales()), i, column));
    }
    Value floats = arith::SIToFPOp::create(k, getType(k.getF32Type()), product);
    after.push_back(k.fma(floats, factor, sums[i]));
  }
  return after;
}

void IntegerMatrixEmitter::store(Value tile, ValueRange sums) {
  Value row = weight.getRow(tile);
  k.ifThen(weight.isRow(row), [&] {
    Value bias = op.getBias() ? scope.load(op.getBias(), row) : Value();
    for (auto [block, sum] : llvm::enumerate(sums)) {
      Value scaled = sum;
      if (!hasScaleAGroup())
        scaled = k.mulf(sum, loadOfTokens(*scope.getPlace(op.getScales()), block, k.index(0)));
      for (int64_t i = 0; i < kRows; ++i) {
        Value token = k.add(firstToken, static_cast<int64_t>(block) * kRows + i);
        k.ifThen(k.isLess(token, tokens), [&] {
          Value y = vector::ExtractOp::create(k, scaled, i);
          scope.store(op.getResult(), {token, row}, bias ? k.addf(y, bias) : y);
        });
      }
    }
  });
}

void IntegerMatrixEmitter::run(Value group) {
  const TileLayout &layout = weight.layout;
  Value tile = k.add(k.mul(group, XeBuilder::kSubgroups), k.subgroup);
  k.ifThen(k.isLess(tile, k.index(layout.getNumTiles())), [&] {
    Value zeros = arith::ConstantOp::create(k, k.getZeroAttr(getType(k.getF32Type())));
    Values sums =
        k.overSteps(layout.getNumBlocks(), layout.getGroupBlocks(), Values(kTokenBlocks, zeros),
                    [&](Value first, int64_t blocks, ValueRange before) {
                      return addGroup(tile, weight.getGroup(first), blocks, before);
                    });
    store(tile, sums);
  });
}

Grid ssm::getIntegerMatrixGrid(IntegerLinearOp op) {
  int64_t tiles = getIntegerLayout(op).getNumTiles();
  return {llvm::divideCeilSigned(tiles, XeBuilder::kSubgroups), kTokens};
}

void ssm::emitIntegerMatrix(LaunchScope &scope, IntegerLinearOp op, GroupIndex at) {
  IntegerMatrixEmitter(scope, op, at.token).run(at.group);
}
