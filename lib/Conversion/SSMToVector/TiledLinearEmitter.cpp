//===- TiledLinearEmitter.cpp - f32 products with tiled weights -----------===//

#include "TiledLinearEmitter.h"

#include "PanelProduct.h"
#include "TiledWeight.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

namespace {

/// Sums are kept for each part and token, parts outermost.
class TiledLinearEmitter {
public:
  using Values = KernelBuilder::Values;

  TiledLinearEmitter(KernelBuilder &k, LinearOp::Adaptor op, Value result)
      : k(k), input(op.getInput()),
        weight(k, op.getWeight(), op.getScales(), op.getZeroPoints(),
               TileLayout(cast<MemRefType>(result.getType()).getDimSize(1),
                          cast<MemRefType>(input.getType()).getDimSize(1), *op.getGroupSize(),
                          *op.getPackedBits()),
               std::min<int64_t>(k.target.vectorWidth, TileLayout::tileRows)),
        product(k, input, op.getBias(), result, weight.layout.getColumns(), weight.lanes) {}

  void run();

private:
  Value sumBlocks();
  void oneToken(Value tile, int64_t rowsOfTile, Value sumsOfBlocks);
  void fillPanel(Value panel, ArrayRef<Value> tiles);
  Values getTiles(Value first, int64_t count) {
    Values tiles;
    for (int64_t i = 0; i < count; ++i)
      tiles.push_back(k.add(first, i));
    return tiles;
  }
  /// Calls body(block, its column, its columns that are no padding, values) over a group.
  Values overBlocks(Value group, Value firstBlock, int64_t columns, ValueRange inits,
                    function_ref<Values(Value, Value, int64_t, ValueRange)> body);

  KernelBuilder &k;
  Value input;
  TiledWeight weight;
  PanelProduct product;
};

} // namespace

TiledLinearEmitter::Values
TiledLinearEmitter::overBlocks(Value group, Value firstBlock, int64_t columns, ValueRange inits,
                               function_ref<Values(Value, Value, int64_t, ValueRange)> body) {
  Value base = k.mul(group, weight.layout.getGroupSize());
  return k.overColumns(k.index(0), columns, weight.layout.getBlockColumns(), inits,
                       [&](Value column, int64_t count, ValueRange state) {
                         Value number = k.floorDiv(column, weight.layout.getBlockColumns());
                         return body(k.add(firstBlock, number), k.add(base, column), count, state);
                       });
}

/// The sum of each block's columns of the only token.
Value TiledLinearEmitter::sumBlocks() {
  auto type = MemRefType::get({weight.layout.getNumBlocks()}, k.getF32Type());
  Value sums = memref::AllocaOp::create(k, type);
  weight.overGroups({}, [&](Value group, Value firstBlock, int64_t columns, ValueRange) -> Values {
    return overBlocks(group, firstBlock, columns, ValueRange(),
                      [&](Value block, Value column, int64_t count, ValueRange) -> Values {
                        Value x = k.load(input, {k.index(0), column}, count);
                        k.storeScalar(k.sumLanes(k.pad(x, weight.layout.getBlockColumns())), sums,
                                      block);
                        return {};
                      });
  });
  return sums;
}

/// Codes are unpacked in registers. What they are too large by counts once a block. Several sums of
/// a vector of rows, which share the columns, hide the latency of additions.
void TiledLinearEmitter::oneToken(Value tile, int64_t rowsOfTile, Value sumsOfBlocks) {
  const int64_t parts = weight.getNumParts(), chains = std::max<int64_t>(1, 4 / parts);
  Value token = k.index(0);
  Values sums = weight.overGroups(
      Values(parts, k.zeros(weight.lanes)),
      [&](Value group, Value firstBlock, int64_t columns, ValueRange before) -> Values {
        Values excess;
        for (int64_t part = 0; part < parts; ++part)
          excess.push_back(arith::NegFOp::create(k, weight.loadExcess(tile, group, part)));
        Values products = overBlocks(
            group, firstBlock, columns, Values(parts * chains, k.zeros(weight.lanes)),
            [&](Value block, Value column, int64_t count, ValueRange state) {
              Values x, next(state);
              for (int64_t i = 0; i < count; ++i)
                x.push_back(k.splat(k.loadScalar(input, {token, k.add(column, i)}), weight.lanes));
              Value sum = k.splat(k.loadScalar(sumsOfBlocks, block), weight.lanes);
              weight.prefetchAhead(tile, block);
              for (int64_t part = 0; part < parts; ++part) {
                MutableArrayRef<Value> chain = MutableArrayRef(next).slice(part * chains, chains);
                chain.back() = k.fma(excess[part], sum, chain.back());
                Values codes = weight.unpackFloats(weight.loadBytes(tile, block, part), count);
                for (auto [i, code] : llvm::enumerate(codes))
                  chain[i % chains] = k.fma(code, x[i], chain[i % chains]);
              }
              return next;
            });
        Values after;
        for (int64_t part = 0; part < parts; ++part) {
          Value product = products[part * chains];
          for (int64_t chain = 1; chain < chains; ++chain)
            product = arith::AddFOp::create(k, product, products[part * chains + chain]);
          after.push_back(k.fma(weight.loadScales(tile, group, part), product, before[part]));
        }
        return after;
      });
  product.storeSums(sums, k.mul(tile, TileLayout::tileRows), rowsOfTile, token);
}

/// The values of some tiles, a row of the panel for each column.
void TiledLinearEmitter::fillPanel(Value panel, ArrayRef<Value> tiles) {
  weight.overGroups({}, [&](Value group, Value firstBlock, int64_t columns, ValueRange) -> Values {
    for (size_t i = 0; i < tiles.size(); ++i)
      for (int64_t part = 0; part < weight.getNumParts(); ++part) {
        Value tile = tiles[i];
        int64_t firstLane = i * TileLayout::tileRows + part * weight.lanes;
        if (firstLane >= cast<MemRefType>(panel.getType()).getDimSize(1))
          continue;
        Value excess = weight.loadExcess(tile, group, part);
        Value scales = weight.loadScales(tile, group, part);
        Value lane = k.index(firstLane);
        overBlocks(group, firstBlock, columns, ValueRange(),
                   [&](Value block, Value column, int64_t count, ValueRange) -> Values {
                     Value bytes = weight.loadBytes(tile, block, part);
                     for (auto [j, code] : llvm::enumerate(weight.unpackFloats(bytes, count))) {
                       Value steps = arith::SubFOp::create(k, code, excess);
                       k.store(arith::MulFOp::create(k, steps, scales).getResult(), panel,
                               {k.add(column, j), lane});
                     }
                     return {};
                   });
      }
    return {};
  });
}

void TiledLinearEmitter::run() {
  Value tokens = k.dim(input, 0);
  const TileLayout &layout = weight.layout;
  Value work = k.mul(tokens, 2 * layout.getNumTiles() * layout.getTileBytes());
  // Each thread reads one stream of memory, from start to end, which processors foresee.
  if (getConstantIntValue(tokens) == 1) {
    Value sumsOfBlocks = sumBlocks();
    return weight.overTiles(/*tilesOfBlock=*/1, work, [&](Value tile, int64_t, int64_t rows) {
      oneToken(tile, rows, sumsOfBlocks);
    });
  }
  weight.overTiles(product.getPanelRows() / TileLayout::tileRows, work,
                   [&](Value first, int64_t count, int64_t rowsOfLast) {
                     product.run(tokens, k.mul(first, TileLayout::tileRows),
                                 (count - 1) * TileLayout::tileRows + rowsOfLast,
                                 [&](Value panel) { fillPanel(panel, getTiles(first, count)); });
                   });
}

void mlir::ssm::emitTiledLinear(KernelBuilder &k, LinearOp::Adaptor op, Value result) {
  TiledLinearEmitter(k, op, result).run();
}
