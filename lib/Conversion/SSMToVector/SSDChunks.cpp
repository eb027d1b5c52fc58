//===- SSDChunks.cpp - Mamba-2 scan by matrix products --------------------===//

#include "SSDChunks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;

/// Rows of a tile, whose sums stay in registers.
static constexpr int64_t tileRows = 4;

SSDChunks::SSDChunks(KernelBuilder &k, SSDScanOp::Adaptor op, Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getInput(), 0)) {
  auto type = cast<MemRefType>(op.getState().getType());
  heads = type.getDimSize(0);
  headDim = type.getDimSize(1);
  states = type.getDimSize(2);
  groups = cast<MemRefType>(op.getB().getType()).getDimSize(1) / states;
  lanes = k.lanesFor(headDim);
  if (states < tileRows)
    return;
  // Sums of a tile are at most half of the registers: 32 of AVX-512, 16 of AVX2.
  int64_t most = k.target.vectorWidth >= 16 ? 4 : 2;
  int64_t vectors = (headDim + lanes - 1) / lanes;
  if (vectors <= most)
    vectorsOfBlock = vectors;
  else if (headDim % lanes == 0)
    for (int64_t divisor = 2; divisor <= most; ++divisor)
      if (vectors % divisor == 0)
        vectorsOfBlock = divisor;
}

Value SSDChunks::splat(Value buffer, ValueRange indices) {
  return k.splat(k.loadScalar(buffer, indices), lanes);
}

/// Products with later tokens are not used, and may be of any token.
void SSDChunks::prepareProducts() {
  products = k.allocate(tokens, {groups * length});
  Value last = arith::SubIOp::create(k, tokens, k.index(1));
  int64_t width = k.lanesFor(states);
  k.parallel(tokens, k.mul(tokens, groups * states * length / 2), [&](Value t) {
    Value inChunk = k.rem(t, length);
    Value first = arith::SubIOp::create(k, t, inChunk);
    for (int64_t group = 0; group < groups; ++group)
      k.loop(k.index(0), k.add(inChunk, 1), tileRows, [&](Value j) {
        Values rows, sums(tileRows, k.zeros(width));
        for (int64_t r = 0; r < tileRows; ++r)
          rows.push_back(k.min(k.add(k.add(first, j), r), last));
        sums = k.overColumns(k.index(group * states), states, width, sums,
                             [&](Value column, int64_t count, ValueRange before) {
                               Value c = k.pad(k.load(op.getC(), {t, column}, count), width);
                               Values after;
                               for (auto [row, sum] : llvm::zip_equal(rows, before)) {
                                 Value b = k.pad(k.load(op.getB(), {row, column}, count), width);
                                 after.push_back(k.fma(c, b, sum));
                               }
                               return after;
                             });
        k.store(k.sumEach(sums), products, {t, k.add(j, group * length)});
      });
  });
}

/// Fills in weights, decays and lastWeights.
void SSDChunks::prepareDecays(Value head, Value first, Value count) {
  int64_t width = k.lanesFor(length), vectors = length / width;
  Value group = k.mul(k.floorDiv(head, heads / groups), length);
  Values numbers, dts;
  for (int64_t v = 0; v < vectors; ++v) {
    SmallVector<int32_t> lane;
    for (int64_t i = 0; i < width; ++i)
      lane.push_back(static_cast<int32_t>(v * width + i));
    numbers.push_back(arith::ConstantOp::create(
        k,
        DenseElementsAttr::get(VectorType::get({width}, k.getI32Type()), ArrayRef<int32_t>(lane))));
  }
  // dt of each token of the chunk side by side; of tokens past the end that of the last.
  Value a = k.loadScalar(op.getA(), head);
  k.loop(k.index(0), k.index(length), 1, [&](Value j) {
    Value t = k.add(first, k.min(j, arith::SubIOp::create(k, count, k.index(1)).getResult()));
    k.storeScalar(k.loadScalar(op.getDt(), {t, head}), lastWeights, {k.index(0), j});
  });
  for (int64_t v = 0; v < vectors; ++v)
    dts.push_back(k.load(lastWeights, {k.index(0), k.index(v * width)}, width));

  // sums[j] is the sum of dt a over (j, row]; behind them that over [0, row].
  Values sums(vectors, k.zeros(width));
  sums.push_back(k.f32(0));
  sums = k.loop(k.index(0), count, 1, sums, [&](Value row, ValueRange before) -> Values {
    Value step = arith::MulFOp::create(k, k.loadScalar(lastWeights, {k.index(0), row}), a);
    Value number = arith::IndexCastOp::create(k, k.getI32Type(), row);
    Value rowNumber = k.splat(number, width);
    Values after;
    for (int64_t v = 0; v < vectors; ++v) {
      Value isBefore = arith::CmpIOp::create(k, arith::CmpIPredicate::slt, numbers[v], rowNumber);
      Value isLater = arith::CmpIOp::create(k, arith::CmpIPredicate::sgt, numbers[v], rowNumber);
      Value longer = arith::AddFOp::create(k, before[v], k.splat(step, width));
      Value sum = arith::SelectOp::create(k, isBefore, longer, before[v]);
      after.push_back(sum);
      Value decay = arith::MulFOp::create(k, math::ExpOp::create(k, sum).getResult(), dts[v]);
      Value product = k.load(products, {k.add(first, row), k.add(group, v * width)}, width);
      Value weight = arith::MulFOp::create(k, product, decay);
      weight = arith::SelectOp::create(k, isLater, k.zeros(width), weight);
      k.store(weight, weights, {row, k.index(v * width)});
    }
    Value sinceStart = arith::AddFOp::create(k, before.back(), step);
    k.storeScalar(math::ExpOp::create(k, sinceStart), decays, {k.index(0), row});
    after.push_back(sinceStart);
    return after;
  });
  for (int64_t v = 0; v < vectors; ++v) {
    Value decay = arith::MulFOp::create(k, math::ExpOp::create(k, sums[v]).getResult(), dts[v]);
    k.store(decay, lastWeights, {k.index(0), k.index(v * width)});
  }
}

void SSDChunks::weighInput(Value head, Value first, Value count) {
  Value base = k.mul(head, headDim);
  k.loop(k.index(0), count, 1, [&](Value j) {
    Value weight = splat(lastWeights, {k.index(0), j});
    k.overColumns(headDim, lanes, [&](Value column, int64_t some) {
      Value x = k.load(op.getInput(), {k.add(first, j), k.add(base, column)}, some);
      k.store(arith::MulFOp::create(k, x, k.slice(weight, 0, some)), weighed, {j, column});
    });
  });
}

/// `column` is the block's first in the head. A last vector that is shorter is filled with zeros.
void SSDChunks::outputTile(Value head, Value first, Value row, int64_t rows, Value column) {
  Value group = k.mul(k.floorDiv(head, heads / groups), states);
  Value base = k.add(k.mul(head, headDim), column);
  auto loadInput = [&](Value t, int64_t v) {
    return k.pad(k.load(op.getInput(), {t, k.add(base, v * lanes)}, lanesOf(v)), lanes);
  };
  auto token = [&](int64_t r) { return k.add(k.add(first, row), r); };
  Values sums(rows * vectorsOfBlock, k.zeros(lanes));
  sums = k.accumulate(
      k.index(states), sums, rows,
      [&](Value n, int64_t r) { return splat(op.getC(), {token(r), k.add(group, n)}); },
      [&](Value n, int64_t v) { return k.load(state, {n, k.add(column, v * lanes)}, lanes); });
  for (int64_t r = 0; r < rows; ++r) {
    Value decay = splat(decays, {k.index(0), k.add(row, r)});
    for (int64_t v = 0; v < vectorsOfBlock; ++v) {
      Value &sum = sums[r * vectorsOfBlock + v];
      sum = arith::MulFOp::create(k, sum, decay);
    }
  }
  sums = k.accumulate(
      k.add(row, rows), sums, rows,
      [&](Value j, int64_t r) { return splat(weights, {k.add(row, r), j}); },
      [&](Value j, int64_t v) { return loadInput(k.add(first, j), v); });
  Value skip = op.getD() ? splat(op.getD(), head) : nullptr;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectorsOfBlock; ++v) {
      Value y = sums[r * vectorsOfBlock + v];
      if (skip)
        y = k.fma(skip, loadInput(token(r), v), y);
      k.store(k.slice(y, 0, lanesOf(v)), result, {token(r), k.add(base, v * lanes)});
    }
}

void SSDChunks::nextStateTile(Value group, Value first, Value count, Value n, int64_t rows,
                              Value column) {
  Value last = arith::SubIOp::create(k, count, k.index(1));
  Value decay = splat(decays, {k.index(0), last});
  Values sums;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectorsOfBlock; ++v)
      sums.push_back(arith::MulFOp::create(
          k, k.load(state, {k.add(n, r), k.add(column, v * lanes)}, lanes), decay));
  sums = k.accumulate(
      count, sums, rows,
      [&](Value j, int64_t r) {
        return splat(op.getB(), {k.add(first, j), k.add(k.add(group, n), r)});
      },
      [&](Value j, int64_t v) { return k.load(weighed, {j, k.add(column, v * lanes)}, lanes); });
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectorsOfBlock; ++v)
      k.store(sums[r * vectorsOfBlock + v], state, {k.add(n, r), k.add(column, v * lanes)});
}

/// The state of a head from P x N to N x P in tiles, or back.
void SSDChunks::transpose(const WideHead &wide, bool isLoad) {
  int64_t most = std::min(lanes, k.lanesFor(states));
  bool inTiles = headDim % most == 0 && states % most == 0;
  int64_t tile = inTiles ? most : 1;
  k.loop(k.index(0), k.index(headDim), tile, [&](Value p) {
    k.loop(k.index(0), k.index(states), tile, [&](Value n) {
      Values rows;
      for (int64_t i = 0; i < tile; ++i)
        rows.push_back(isLoad ? k.load(wide.getBuffer(), {wide.getIndex(), k.add(p, i), n}, tile)
                              : k.load(state, {k.add(n, i), p}, tile));
      rows = k.transpose(rows);
      for (int64_t i = 0; i < tile; ++i)
        if (isLoad)
          k.store(rows[i], state, {k.add(n, i), p});
        else
          k.store(rows[i], wide.getBuffer(), {wide.getIndex(), k.add(p, i), n});
    });
  });
}

void SSDChunks::head(Value head) {
  // Rows of scratch are whole vectors; what pads them is never stored.
  int64_t padded = (headDim + lanes - 1) / lanes * lanes;
  state = k.allocate(k.index(states), {padded});
  weights = k.allocate(k.index(length), {length});
  weighed = k.allocate(k.index(length), {padded});
  decays = k.allocate(k.index(1), {length});
  lastWeights = k.allocate(k.index(1), {length});
  Value group = k.mul(k.floorDiv(head, heads / groups), states);
  int64_t blockWidth = vectorsOfBlock * lanes;
  WideHead wide(k, op, head);
  transpose(wide, /*isLoad=*/true);
  k.loop(k.index(0), tokens, length, [&](Value first) {
    Value count = k.min(arith::SubIOp::create(k, tokens, first), k.index(length));
    prepareDecays(head, first, count);
    weighInput(head, first, count);
    k.loop(k.index(0), k.index(headDim), blockWidth, [&](Value column) {
      k.overRows(count, tileRows,
                 [&](Value row, int64_t rows) { outputTile(head, first, row, rows, column); });
      k.overRows(k.index(states), tileRows, [&](Value n, int64_t rows) {
        nextStateTile(group, first, count, n, rows, column);
      });
    });
  });
  transpose(wide, /*isLoad=*/false);
  wide.finish();
  for (Value buffer : {state, weights, weighed, decays, lastWeights})
    k.free(buffer);
}

void SSDChunks::run() {
  prepareProducts();
  Value work = k.mul(tokens, 2 * heads * headDim * states);
  k.parallel(k.index(heads), work, [&](Value i) { head(i); });
  k.free(products);
}
