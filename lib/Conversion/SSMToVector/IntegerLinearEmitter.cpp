//===- IntegerLinearEmitter.cpp - Integer products with tiled weights -----===//

#include "DotProduct.h"
#include "Emitters.h"
#include "TiledWeight.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

namespace {

/// Sums are kept for each tile, part and token, tiles outermost. One token meets one tile at a
/// time: each thread reads one stream of memory, from start to end, which processors foresee.
class IntegerLinearEmitter {
public:
  using Values = KernelBuilder::Values;

  IntegerLinearEmitter(KernelBuilder &k, IntegerLinearOp::Adaptor op, Value result)
      : k(k), dots(k), codes(op.getCodes()), activationScales(op.getScales()), sums(op.getSums()),
        bias(op.getBias()), result(result),
        weight(k, op.getWeight(), op.getWeightScales(), op.getZeroPoints(),
               TileLayout(cast<MemRefType>(result.getType()).getDimSize(1), op.getColumns(),
                          op.getGroupSize(), op.getPackedBits()),
               dots.getLanes()),
        scaleColumns(op.getScaleColumns()), isOneToken(getConstantIntValue(k.dim(codes, 0)) == 1) {
    range = weight.layout.getBits() == 4 ? ByteRange::Nibble : dots.getByteRange();
  }

  void run();

private:
  VectorType sumType() { return VectorType::get({weight.lanes}, k.getI32Type()); }
  bool hasScaleAGroup() const { return scaleColumns < weight.layout.getColumns(); }
  Value loadActivations(Value token, Value block, int64_t quad);
  Values startGroup(ArrayRef<Value> tiles, ArrayRef<Value> tokens, Value group);
  Values addBlocks(ArrayRef<Value> tiles, ArrayRef<Value> tokens, Value block, int64_t count,
                   ValueRange before);
  Values addGroup(ArrayRef<Value> tiles, ArrayRef<Value> tokens, Value group, Value block,
                  int64_t columns, ValueRange before);
  void block(Value firstTile, int64_t numTiles, ArrayRef<Value> tokens, int64_t rowsOfLast);

  KernelBuilder &k;
  DotProduct dots;
  Value codes, activationScales, sums, bias, result;
  TiledWeight weight;
  int64_t scaleColumns;
  bool isOneToken;
  /// Integer sums of a group that are added up at its end: a single one waits for its latency.
  int64_t chains = isOneToken ? 2 : 1;
  ByteRange range;
};

} // namespace

/// Four columns of a token in every lane.
Value IntegerLinearEmitter::loadActivations(Value token, Value block, int64_t quad) {
  int64_t blockColumns = weight.layout.getBlockColumns();
  Value bytes = k.loadRaw(codes, {token, k.add(k.mul(block, blockColumns), 4 * quad)}, 4);
  Value word = vector::BitCastOp::create(k, VectorType::get({1}, k.getI32Type()), bytes);
  Value words = k.splat(k.extract(word, 0), weight.lanes);
  return vector::BitCastOp::create(k, VectorType::get({4 * weight.lanes}, k.getI8Type()), words);
}

/// What makes up for offsets and zero points of the weights: these times the sum of the group's
/// activations.
IntegerLinearEmitter::Values IntegerLinearEmitter::startGroup(ArrayRef<Value> tiles,
                                                              ArrayRef<Value> tokens, Value group) {
  int64_t offset = range == ByteRange::Nibble ? 8 : range == ByteRange::Unsigned ? 128 : 0;
  size_t numSums = tiles.size() * weight.getNumParts() * tokens.size();
  if (offset == 0 && !weight.hasZeroPoints())
    return Values(numSums, k.integers(sumType(), 0));
  Values negated;
  for (Value token : tokens) {
    Value sum = memref::LoadOp::create(k, sums, ValueRange{token, group});
    Value zero = arith::ConstantOp::create(k, k.getI32IntegerAttr(0));
    negated.push_back(k.splat(arith::SubIOp::create(k, zero, sum), weight.lanes));
  }
  Values start;
  for (Value tile : tiles)
    for (int64_t part = 0; part < weight.getNumParts(); ++part) {
      Value factor = k.integers(sumType(), offset);
      if (weight.hasZeroPoints())
        factor =
            arith::AddIOp::create(k, weight.loadZeroPoints(tile, group, part), factor).getResult();
      for (Value sum : negated)
        start.push_back(arith::MulIOp::create(k, sum, factor));
    }
  return start;
}

IntegerLinearEmitter::Values IntegerLinearEmitter::addBlocks(ArrayRef<Value> tiles,
                                                             ArrayRef<Value> tokens, Value block,
                                                             int64_t count, ValueRange before) {
  const int64_t quads = weight.layout.getBlockColumns() / 4;
  // Activations of each token, and weights of each tile and part, four columns a vector.
  SmallVector<Values> others(tokens.size());
  for (auto [token, other] : llvm::zip_equal(tokens, others))
    for (int64_t i = 0; i < count; ++i)
      for (int64_t quad = 0; quad < quads; ++quad)
        other.push_back(loadActivations(token, k.add(block, i), quad));
  Values after;
  for (Value tile : tiles)
    for (int64_t part = 0; part < weight.getNumParts(); ++part) {
      Values bytes;
      if (isOneToken && part == 0)
        for (int64_t i = 0; i < count; ++i)
          weight.prefetchAhead(tile, k.add(block, i));
      for (int64_t i = 0; i < count; ++i)
        llvm::append_range(
            bytes, weight.unpackBytes(weight.loadBytes(tile, k.add(block, i), part), range));
      for (const Values &other : others) {
        const size_t vectors = bytes.size();
        for (int64_t chain = 0; chain < chains; ++chain) {
          const size_t first = vectors * chain / chains;
          const size_t number = vectors * (chain + 1) / chains - first;
          after.push_back(dots.add(before[after.size()], ArrayRef(bytes).slice(first, number),
                                   ArrayRef(other).slice(first, number), range));
        }
      }
    }
  return after;
}

IntegerLinearEmitter::Values IntegerLinearEmitter::addGroup(ArrayRef<Value> tiles,
                                                            ArrayRef<Value> tokens, Value group,
                                                            Value block, int64_t columns,
                                                            ValueRange before) {
  int64_t blocks = llvm::divideCeil(columns, weight.layout.getBlockColumns());
  Values start;
  for (Value sum : startGroup(tiles, tokens, group)) {
    start.push_back(sum);
    start.append(chains - 1, k.integers(sumType(), 0));
  }
  Values integers = k.overColumns(
      block, blocks, /*lanes=*/tokens.size() == 1 ? 4 : 2, start,
      [&](Value first, int64_t count, ValueRange state) {
        return addBlocks(tiles, tokens, first, count, state);
      },
      /*unroll=*/2);
  Values scalesOfTokens;
  if (hasScaleAGroup()) {
    Value scale = k.floorDiv(group, scaleColumns / weight.layout.getGroupSize());
    for (Value token : tokens)
      scalesOfTokens.push_back(
          k.splat(k.loadScalar(activationScales, {token, scale}), weight.lanes));
  }
  Values after;
  for (Value tile : tiles)
    for (int64_t part = 0; part < weight.getNumParts(); ++part) {
      Value scales = weight.loadScales(tile, group, part);
      for (size_t t = 0; t < tokens.size(); ++t) {
        Value scale = hasScaleAGroup()
                          ? arith::MulFOp::create(k, scales, scalesOfTokens[t]).getResult()
                          : scales;
        size_t i = after.size();
        Value sum = integers[i * chains];
        for (int64_t chain = 1; chain < chains; ++chain)
          sum = arith::AddIOp::create(k, sum, integers[i * chains + chain]);
        after.push_back(k.fma(k.widen(sum), scale, before[i]));
      }
    }
  return after;
}

void IntegerLinearEmitter::block(Value firstTile, int64_t numTiles, ArrayRef<Value> tokens,
                                 int64_t rowsOfLast) {
  Values tiles;
  for (int64_t i = 0; i < numTiles; ++i)
    tiles.push_back(k.add(firstTile, i));
  Values zeros(numTiles * weight.getNumParts() * tokens.size(), k.zeros(weight.lanes));
  Values products =
      weight.overGroups(zeros, [&](Value group, Value first, int64_t columns, ValueRange state) {
        return addGroup(tiles, tokens, group, first, columns, state);
      });

  weight.overRows(firstTile, numTiles, rowsOfLast, [&](int64_t part, Value row, int64_t rows) {
    Value offsets = bias ? k.load(bias, row, rows) : nullptr;
    for (auto [t, token] : llvm::enumerate(tokens)) {
      Value y = k.slice(products[part * tokens.size() + t], 0, rows);
      if (!hasScaleAGroup()) {
        Value scale = k.loadScalar(activationScales, {token, k.index(0)});
        y = arith::MulFOp::create(k, y, k.splat(scale, rows));
      }
      if (offsets)
        y = arith::AddFOp::create(k, y, offsets);
      k.store(y, result, {token, row});
    }
  });
}

void IntegerLinearEmitter::run() {
  Value tokens = k.dim(codes, 0);
  bool isWide = weight.lanes == 16;
  // One token is bound by memory; many tokens by products, whose sums fill the registers.
  int64_t tilesOfBlock = isWide && !isOneToken ? 2 : 1;
  int64_t tokensOfBlock = isWide ? 6 : 4;
  Value work = k.mul(tokens, 2 * weight.layout.getNumTiles() * weight.layout.getTileBytes());
  weight.overTiles(tilesOfBlock, work, [&](Value first, int64_t count, int64_t rowsOfLast) {
    k.overTokens(tokens, tokensOfBlock,
                 [&](ArrayRef<Value> several) { block(first, count, several, rowsOfLast); });
  });
}

void mlir::ssm::emit(KernelBuilder &k, IntegerLinearOp::Adaptor op, ValueRange results) {
  IntegerLinearEmitter(k, op, results.front()).run();
}
