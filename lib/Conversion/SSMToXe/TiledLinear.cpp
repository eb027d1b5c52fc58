//===- TiledLinear.cpp - One token meets a quantized weight in tiles ------===//
//
// A sub-group has a tile, or, where tiles are few, one of several parts of its columns: chunks in
// turn, so that the sub-groups of a work-group read one stream. Their sums meet in memory of the
// work-group.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "SplitTiles.h"
#include "TiledCodes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

/// Blocks of a chunk: 512 bytes of a tile.
static constexpr int64_t kMostBlocks = 8;

namespace {
class TiledLinearEmitter {
public:
  using Values = XeBuilder::Values;

  TiledLinearEmitter(LaunchScope &scope, LinearOp op, Value token)
      : scope(scope), k(scope.k), op(op), token(token),
        weight(scope, op.getWeight(), op.getScales(), op.getZeroPoints(), *getTileLayout(op)),
        blocksOfChunk(weight.getChunkBlocks(kMostBlocks)) {}

  void run(Value group);

private:
  Values loadInputs(Value block);
  Value addChunk(Value tile, Value chunk, Value sum);

  LaunchScope &scope;
  XeBuilder &k;
  LinearOp op;
  Value token;
  TiledCodes weight;
  int64_t blocksOfChunk;
};
} // namespace

/// The activations of a block's columns, which are the same in all lanes.
TiledLinearEmitter::Values TiledLinearEmitter::loadInputs(Value block) {
  const TileLayout &layout = weight.layout;
  const int64_t count = layout.getBlockColumns();
  Values inputs;
  if (!weight.isPadded()) {
    const Place &input = *scope.getPlace(op.getInput());
    Value numbers = k.widen(k.loadRaw(input, {token, k.mul(block, count)}, count));
    for (int64_t i = 0; i < count; ++i)
      inputs.push_back(vector::ExtractOp::create(k, numbers, i));
    return inputs;
  }
  Value group = weight.getGroup(block);
  Value inGroup = k.mul(k.rem(block, layout.getGroupBlocks()), count);
  for (int64_t i = 0; i < count; ++i) {
    Value offset = k.add(inGroup, i);
    Value column = k.add(k.mul(group, layout.getGroupSize()), offset);
    Value isColumn = arith::AndIOp::create(k, k.isLess(offset, k.index(layout.getGroupSize())),
                                           k.isLess(column, k.index(layout.getColumns())));
    Value known = arith::SelectOp::create(k, isColumn, column, k.index(0));
    inputs.push_back(
        arith::SelectOp::create(k, isColumn, scope.load(op.getInput(), {token, known}), k.f32(0)));
  }
  return inputs;
}

Value TiledLinearEmitter::addChunk(Value tile, Value chunk, Value sum) {
  Value first = k.mul(chunk, blocksOfChunk), group = weight.getGroup(first);
  Value scale = weight.loadScale(tile, group), excess = weight.loadExcess(tile, group);
  Values words;
  for (int64_t i = 0; i < blocksOfChunk; ++i)
    words.push_back(weight.loadWord(tile, k.add(first, i)));
  // Sums that do not wait for each other.
  Values sums(4, k.f32(0));
  for (auto [i, word] : llvm::enumerate(words)) {
    Values inputs = loadInputs(k.add(first, static_cast<int64_t>(i)));
    for (auto [j, code] : llvm::enumerate(weight.toFloats(word))) {
      Value exact = arith::SubFOp::create(k, code, excess);
      sums[j % 4] = k.fma(exact, inputs[j], sums[j % 4]);
    }
  }
  Value all = k.addf(k.addf(sums[0], sums[1]), k.addf(sums[2], sums[3]));
  return k.fma(all, scale, sum);
}

void TiledLinearEmitter::run(Value group) {
  int64_t chunks = weight.layout.getNumBlocks() / blocksOfChunk;
  auto add = [&](Value tile, Value chunk, Value sum) { return addChunk(tile, chunk, sum); };
  SplitTiles(weight.layout.getNumTiles()).emit(k, group, chunks, add, [&](Value tile, Value sum) {
    Value row = weight.getRow(tile);
    k.ifThen(weight.isRow(row), [&] {
      Value y = op.getBias() ? k.addf(sum, scope.load(op.getBias(), row)) : sum;
      scope.store(op.getResult(), {token, row}, y);
    });
  });
}

Grid ssm::getTiledLinearGrid(LinearOp op) {
  return {SplitTiles(getTileLayout(op)->getNumTiles()).getGroups(), 1};
}

void ssm::emitTiledLinear(LaunchScope &scope, LinearOp op, GroupIndex at) {
  TiledLinearEmitter(scope, op, at.token).run(at.group);
}
