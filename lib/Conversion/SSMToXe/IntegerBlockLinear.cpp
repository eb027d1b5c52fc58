//===- IntegerBlockLinear.cpp - Many tokens, by products of 4 bytes -------===//
//
// For devices without dpas: as IntegerMatrixLinear.cpp, for 16 tokens whose activations are the
// same in all lanes.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "TiledCodes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

static constexpr int64_t kTokens = 16, kBlocks = 2;

namespace {
class IntegerBlockEmitter {
public:
  using Values = XeBuilder::Values;

  IntegerBlockEmitter(LaunchScope &scope, IntegerLinearOp op, Value firstToken);

  void run(Value group);

private:
  Values startGroup(Value tile, Value group);
  Values addGroup(Value tile, Value group, int64_t blocks, ValueRange sums);
  bool hasScaleAGroup() { return op.getScaleColumns() < op.getColumns(); }

  LaunchScope &scope;
  XeBuilder &k;
  IntegerLinearOp op;
  TiledCodes weight;
  Place words;
  Value numTokens;
  /// Those after the last one are read as the last one.
  Values tokens, known;
};
} // namespace

IntegerBlockEmitter::IntegerBlockEmitter(LaunchScope &scope, IntegerLinearOp op, Value firstToken)
    : scope(scope), k(scope.k), op(op),
      weight(scope, op.getWeight(), op.getWeightScales(), op.getZeroPoints(), getIntegerLayout(op)),
      words(asWords(*scope.getPlace(op.getCodes()))), numTokens(scope.countTokens(op.getCodes())) {
  Value last = arith::SubIOp::create(k, numTokens, k.index(1));
  for (int64_t i = 0; i < kTokens; ++i) {
    tokens.push_back(k.add(firstToken, i));
    known.push_back(k.min(tokens[i], last));
  }
}

/// What makes up for offsets and zero points of the weights.
IntegerBlockEmitter::Values IntegerBlockEmitter::startGroup(Value tile, Value group) {
  Value excess = weight.loadByteExcess(tile, group);
  if (!excess)
    return Values(kTokens, k.i32(0));
  Value negated = arith::SubIOp::create(k, k.i32(0), excess);
  Values sums;
  for (Value token : known)
    sums.push_back(
        arith::MulIOp::create(k, negated, k.load(*scope.getPlace(op.getSums()), {token, group})));
  return sums;
}

IntegerBlockEmitter::Values IntegerBlockEmitter::addGroup(Value tile, Value group, int64_t blocks,
                                                          ValueRange sums) {
  const int64_t quads = weight.layout.getBlockColumns() / 4;
  Value first = k.mul(group, weight.layout.getGroupBlocks());
  Values products = k.overSteps(
      blocks, kBlocks, startGroup(tile, group),
      [&](Value offset, int64_t count, ValueRange before) {
        Value block = k.add(first, offset);
        Values after(before);
        for (int64_t i = 0; i < count; ++i)
          for (auto [j, bytes] :
               llvm::enumerate(weight.toBytes(weight.loadWord(tile, k.add(block, i))))) {
            Value quad = k.add(k.mul(block, quads), i * quads + static_cast<int64_t>(j));
            for (auto [token, sum] : llvm::zip_equal(known, after))
              sum = k.dotBytes(bytes, k.loadRaw(words, {token, quad}), sum);
          }
        return after;
      });
  Value scale = weight.loadScale(tile, group);
  Values after;
  for (auto [i, product] : llvm::enumerate(products)) {
    Value factor = scale;
    if (hasScaleAGroup()) {
      Value column = k.floorDiv(group, op.getScaleColumns() / weight.layout.getGroupSize());
      factor = k.mulf(scale, scope.load(op.getScales(), {known[i], column}));
    }
    Value number = arith::SIToFPOp::create(k, k.getF32Type(), product);
    after.push_back(k.fma(number, factor, sums[i]));
  }
  return after;
}

void IntegerBlockEmitter::run(Value group) {
  const TileLayout &layout = weight.layout;
  Value tile = k.add(k.mul(group, XeBuilder::kSubgroups), k.subgroup);
  k.ifThen(k.isLess(tile, k.index(layout.getNumTiles())), [&] {
    Values sums =
        k.overSteps(layout.getNumBlocks(), layout.getGroupBlocks(), Values(kTokens, k.f32(0)),
                    [&](Value first, int64_t blocks, ValueRange before) {
                      return addGroup(tile, weight.getGroup(first), blocks, before);
                    });
    Value row = weight.getRow(tile);
    k.ifThen(weight.isRow(row), [&] {
      Value bias = op.getBias() ? scope.load(op.getBias(), row) : Value();
      for (auto [token, sum] : llvm::zip_equal(tokens, sums))
        k.ifThen(k.isLess(token, numTokens), [&, token = token, sum = sum] {
          Value y = sum;
          if (!hasScaleAGroup())
            y = k.mulf(y, scope.load(op.getScales(), {token, k.index(0)}));
          scope.store(op.getResult(), {token, row}, bias ? k.addf(y, bias) : y);
        });
    });
  });
}

Grid ssm::getIntegerBlockGrid(IntegerLinearOp op) {
  int64_t tiles = getIntegerLayout(op).getNumTiles();
  return {llvm::divideCeilSigned(tiles, XeBuilder::kSubgroups), kTokens};
}

void ssm::emitIntegerBlock(LaunchScope &scope, IntegerLinearOp op, GroupIndex at) {
  IntegerBlockEmitter(scope, op, at.token).run(at.group);
}
