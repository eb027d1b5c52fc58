//===- SelectiveScanEmitter.cpp - Mamba-1 selective scan ------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = KernelBuilder::Values;

// The states of a few channels stay in registers, cut into vectors along the state index, while the
// tokens pass.
void mlir::ssm::emit(KernelBuilder &k, SelectiveScanOp::Adaptor op, ValueRange results) {
  auto stateType = cast<MemRefType>(op.getState().getType());
  int64_t channels = stateType.getDimSize(0), states = stateType.getDimSize(1);
  int64_t lanes = k.lanesFor(states);
  SmallVector<std::pair<int64_t, int64_t>> chunks;
  for (int64_t at = 0; at < states; at += lanes)
    chunks.push_back({at, std::min(lanes, states - at)});
  Value tokens = k.dim(op.getInput(), 0);

  auto loadRows = [&](Value matrix, Value channel, int64_t rows) {
    Values vectors;
    for (int64_t r = 0; r < rows; ++r)
      for (auto [start, count] : chunks)
        vectors.push_back(k.pad(k.load(matrix, {k.add(channel, r), k.index(start)}, count), lanes));
    return vectors;
  };
  auto block = [&](Value channel, int64_t rows) {
    Values a = loadRows(op.getA(), channel, rows), state = loadRows(op.getState(), channel, rows);
    Value skip = op.getD() ? k.load(op.getD(), channel, rows) : nullptr;
    state = k.loop(k.index(0), tokens, 1, state, [&](Value t, ValueRange before) {
      Values next(before), b, c, sums(rows, k.zeros(lanes));
      for (auto [start, count] : chunks) {
        b.push_back(k.pad(k.load(op.getB(), {t, k.index(start)}, count), lanes));
        c.push_back(k.pad(k.load(op.getC(), {t, k.index(start)}, count), lanes));
      }
      Value x = k.load(op.getInput(), {t, channel}, rows);
      Value dts = k.load(op.getDt(), {t, channel}, rows);
      Value weighted = arith::MulFOp::create(k, dts, x);
      for (int64_t r = 0; r < rows; ++r) {
        Value dt = k.splat(k.extract(dts, r), lanes), dtx = k.splat(k.extract(weighted, r), lanes);
        for (size_t i = 0; i < chunks.size(); ++i) {
          Value &h = next[r * chunks.size() + i];
          Value exponent = arith::MulFOp::create(k, dt, a[r * chunks.size() + i]);
          h = k.fma(math::ExpOp::create(k, exponent), h, arith::MulFOp::create(k, dtx, b[i]));
          sums[r] = k.fma(c[i], h, sums[r]);
        }
      }
      Value y = k.sumEach(sums);
      if (skip)
        y = k.fma(skip, x, y);
      k.store(y, results.front(), {t, channel});
      return next;
    });
    for (int64_t r = 0; r < rows; ++r)
      for (auto [i, chunk] : llvm::enumerate(chunks)) {
        auto [start, count] = chunk;
        k.store(k.slice(state[r * chunks.size() + i], 0, count), op.getState(),
                {k.add(channel, r), k.index(start)});
      }
  };

  // a and the state share the registers.
  int64_t rows = std::clamp<int64_t>(8 / chunks.size(), 1, 4);
  rows = std::min(rows, k.lanesFor(channels));
  k.parallel(k.index(channels / rows),
             k.mul(tokens, channels * states * (3 + KernelBuilder::workOfExp)),
             [&](Value i) { block(k.mul(i, rows), rows); });
  if (int64_t rest = channels % rows)
    block(k.index(channels - rest), rest);
}
