//===- IntegerLinear.cpp - One token meets a weight in integer products ---===//
//
// As TiledLinear.cpp, with products of 4 bytes at a time that are summed in i32 over a chunk.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "SplitTiles.h"
#include "TiledCodes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

/// Blocks of a chunk: 512 bytes of a tile.
static constexpr int64_t kMostBlocks = 8;

namespace {
class IntegerLinearEmitter {
public:
  using Values = XeBuilder::Values;

  IntegerLinearEmitter(LaunchScope &scope, IntegerLinearOp op, Value token)
      : scope(scope), k(scope.k), op(op), token(token),
        weight(scope, op.getWeight(), op.getWeightScales(), op.getZeroPoints(),
               getIntegerLayout(op)),
        blocksOfChunk(weight.getChunkBlocks(kMostBlocks)),
        words(asWords(*scope.getPlace(op.getCodes()))) {}

  void run(Value group);

private:
  Value startChunk(Value tile, Value first, Value group);
  Value addChunk(Value tile, Value chunk, Value sum);
  bool hasScaleAGroup() { return op.getScaleColumns() < op.getColumns(); }

  LaunchScope &scope;
  XeBuilder &k;
  IntegerLinearOp op;
  Value token;
  TiledCodes weight;
  int64_t blocksOfChunk;
  /// The activations, 4 columns an i32.
  Place words;
};
} // namespace

/// What makes up for offsets and zero points of the weights: these times the sum of the group's
/// activations, once a group.
Value IntegerLinearEmitter::startChunk(Value tile, Value first, Value group) {
  Value excess = weight.loadByteExcess(tile, group);
  if (!excess)
    return k.i32(0);
  Value sum = k.load(*scope.getPlace(op.getSums()), {token, group});
  Value negated = arith::SubIOp::create(k, k.i32(0), sum);
  Value begins = k.isEqual(first, k.mul(group, weight.layout.getGroupBlocks()));
  Value factor = arith::SelectOp::create(k, begins, negated, k.i32(0));
  return arith::MulIOp::create(k, factor, excess);
}

Value IntegerLinearEmitter::addChunk(Value tile, Value chunk, Value sum) {
  Value first = k.mul(chunk, blocksOfChunk), group = weight.getGroup(first);
  Value scale = weight.loadScale(tile, group);
  if (hasScaleAGroup()) {
    int64_t groups = op.getScaleColumns() / weight.layout.getGroupSize();
    scale = k.mulf(scale, scope.load(op.getScales(), {token, k.floorDiv(group, groups)}));
  }
  Values codes;
  for (int64_t i = 0; i < blocksOfChunk; ++i)
    codes.push_back(weight.loadWord(tile, k.add(first, i)));
  Value integer = startChunk(tile, first, group);
  const int64_t quads = weight.layout.getBlockColumns() / 4;
  for (auto [i, word] : llvm::enumerate(codes)) {
    Value quad = k.mul(k.add(first, static_cast<int64_t>(i)), quads);
    for (auto [j, bytes] : llvm::enumerate(weight.toBytes(word))) {
      Value other = k.loadRaw(words, {token, k.add(quad, static_cast<int64_t>(j))});
      integer = k.dotBytes(bytes, other, integer);
    }
  }
  return k.fma(arith::SIToFPOp::create(k, k.getF32Type(), integer), scale, sum);
}

void IntegerLinearEmitter::run(Value group) {
  int64_t chunks = weight.layout.getNumBlocks() / blocksOfChunk;
  auto add = [&](Value tile, Value chunk, Value sum) { return addChunk(tile, chunk, sum); };
  SplitTiles(weight.layout.getNumTiles()).emit(k, group, chunks, add, [&](Value tile, Value sum) {
    Value row = weight.getRow(tile);
    k.ifThen(weight.isRow(row), [&] {
      if (!hasScaleAGroup())
        sum = k.mulf(sum, scope.load(op.getScales(), {token, k.index(0)}));
      if (op.getBias())
        sum = k.addf(sum, scope.load(op.getBias(), row));
      scope.store(op.getResult(), {token, row}, sum);
    });
  });
}

Grid ssm::getIntegerLinearGrid(IntegerLinearOp op) {
  return {SplitTiles(getIntegerLayout(op).getNumTiles()).getGroups(), 1};
}

void ssm::emitIntegerLinear(LaunchScope &scope, IntegerLinearOp op, GroupIndex at) {
  IntegerLinearEmitter(scope, op, at.token).run(at.group);
}
