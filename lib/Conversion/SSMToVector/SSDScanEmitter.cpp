//===- SSDScanEmitter.cpp - Mamba-2 state-space dual scan -----------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Values = KernelBuilder::Values;

/// Rows of a head's state (its channels) stay in registers, cut into vectors along the state index,
/// while the tokens pass.
class SSDScanEmitter {
public:
  SSDScanEmitter(KernelBuilder &k, SSDScanOp::Adaptor op, Value result);
  void run();

private:
  void blockOfRows(Value head, Value row, int64_t rows);
  Value step(Value t, Value head, Value row, int64_t rows, Values &state);
  void prepareDecay();

  KernelBuilder &k;
  SSDScanOp::Adaptor op;
  Value result, tokens, decays;
  int64_t heads, headDim, states, groups, lanes;
  /// Start and length of each vector of a state row.
  SmallVector<std::pair<int64_t, int64_t>> chunks;
};

} // namespace

SSDScanEmitter::SSDScanEmitter(KernelBuilder &k, SSDScanOp::Adaptor op, Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getInput(), 0)) {
  ArrayRef<int64_t> shape = cast<MemRefType>(op.getState().getType()).getShape();
  heads = shape[0];
  headDim = shape[1];
  states = shape[2];
  groups = cast<MemRefType>(op.getB().getType()).getDimSize(1) / states;
  lanes = k.lanesFor(states);
  for (int64_t at = 0; at < states; at += lanes)
    chunks.push_back({at, std::min(lanes, states - at)});
}

/// decays[t, h] = exp(dt[t, h] a[h]), once for all channels of a head.
void SSDScanEmitter::prepareDecay() {
  decays = k.allocate(tokens, {heads});
  k.loop(k.index(0), tokens, 1, [&](Value t) {
    k.overColumns(heads, k.lanesFor(heads), [&](Value head, int64_t count) {
      Value product = arith::MulFOp::create(k, k.load(op.getDt(), {t, head}, count),
                                            k.load(op.getA(), head, count));
      k.store(math::ExpOp::create(k, product), decays, {t, head});
    });
  });
}

/// Advances the rows' state by a token and gives their outputs as one vector.
Value SSDScanEmitter::step(Value t, Value head, Value row, int64_t rows, Values &state) {
  Value column = k.add(k.mul(head, headDim), row);
  Value group = k.mul(k.floorDiv(head, heads / groups), states);
  Value dt = k.loadScalar(op.getDt(), {t, head});
  Value decay = k.splat(k.loadScalar(decays, {t, head}), lanes);
  Values b, c, sums(rows, k.zeros(lanes));
  for (auto [at, count] : chunks) {
    b.push_back(k.pad(k.load(op.getB(), {t, k.add(group, at)}, count), lanes));
    c.push_back(k.pad(k.load(op.getC(), {t, k.add(group, at)}, count), lanes));
  }
  for (int64_t r = 0; r < rows; ++r) {
    Value x = k.loadScalar(op.getInput(), {t, k.add(column, r)});
    Value weighted = k.splat(arith::MulFOp::create(k, dt, x), lanes);
    for (size_t i = 0; i < chunks.size(); ++i) {
      Value &s = state[r * chunks.size() + i];
      s = k.fma(decay, s, arith::MulFOp::create(k, weighted, b[i]));
      sums[r] = k.fma(c[i], s, sums[r]);
    }
  }
  Value y = k.sumEach(sums);
  if (op.getD()) {
    Value skip = k.splat(k.loadScalar(op.getD(), head), rows);
    y = k.fma(skip, k.load(op.getInput(), {t, column}, rows), y);
  }
  k.store(y, result, {t, column});
  return y;
}

void SSDScanEmitter::blockOfRows(Value head, Value row, int64_t rows) {
  Values state;
  auto at = [&](int64_t r, int64_t start) -> Values {
    return {head, k.add(row, r), k.index(start)};
  };
  for (int64_t r = 0; r < rows; ++r)
    for (auto [start, count] : chunks)
      state.push_back(k.pad(k.load(op.getState(), at(r, start), count), lanes));
  state = k.loop(k.index(0), tokens, 1, state, [&](Value t, ValueRange before) {
    Values next(before);
    step(t, head, row, rows, next);
    return next;
  });
  for (int64_t r = 0; r < rows; ++r)
    for (auto [i, chunk] : llvm::enumerate(chunks)) {
      auto [start, count] = chunk;
      k.store(k.slice(state[r * chunks.size() + i], 0, count), op.getState(), at(r, start));
    }
}

void SSDScanEmitter::run() {
  prepareDecay();
  // Sixteen registers of state leave room for b, c and sums in both 16 (AVX2) and 32 (AVX-512).
  int64_t room = k.target.vectorWidth >= 16 ? 16 : 8;
  int64_t rows = std::clamp<int64_t>(room / chunks.size(), 1, 8);
  rows = std::min(rows, k.lanesFor(headDim));
  int64_t blocks = headDim / rows, rest = headDim % rows;
  Value work = k.mul(tokens, 3 * heads * headDim * states);
  k.parallel(k.index(heads * blocks), work, [&](Value i) {
    blockOfRows(k.floorDiv(i, blocks), k.mul(k.rem(i, blocks), rows), rows);
  });
  if (rest)
    k.loop(k.index(0), k.index(heads), 1,
           [&](Value head) { blockOfRows(head, k.index(blocks * rows), rest); });
  k.free(decays);
}

void mlir::ssm::emit(KernelBuilder &k, SSDScanOp::Adaptor op, ValueRange results) {
  SSDScanEmitter(k, op, results.front()).run();
}
