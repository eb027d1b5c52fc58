//===- SelectiveScan.cpp - Mamba-1 selective scan -------------------------===//
//
// A work-item has a channel, whose state stays in registers while the tokens pass: nothing else
// reads or writes its row of the state, and sums over it cross no lanes.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "StoredState.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

/// Rounds and stores the state of a channel, run by run.
static void storeState(StoredStatePlaces &places, ValueRange state, Value channel) {
  XeBuilder &k = places.k;
  int64_t columns = places.getColumns();
  int64_t runColumns = places.getRunColumns() ? places.getRunColumns() : columns;
  for (int64_t begin = 0; begin < columns; begin += runColumns) {
    int64_t end = std::min(begin + runColumns, columns);
    IntegerGrid grid;
    if (places.getRunColumns()) {
      Value most = k.i32(0);
      for (int64_t n = begin; n < end; ++n)
        most = places.takeMost(most, state[n]);
      grid = places.fit(most);
      places.storeScale(grid, channel, begin / runColumns);
    }
    for (int64_t n = begin; n < end; ++n)
      places.store(state[n], channel, k.index(n), grid);
  }
}

static void scanChannel(LaunchScope &scope, SelectiveScanOp op, Value channel) {
  XeBuilder &k = scope.k;
  StoredStatePlaces places(scope, op);
  int64_t states = places.getColumns();
  Values state, a;
  for (int64_t n = 0; n < states; ++n) {
    state.push_back(places.load(channel, k.index(n)));
    a.push_back(scope.load(op.getA(), {channel, k.index(n)}));
  }
  Value skip = op.getD() ? scope.load(op.getD(), channel) : nullptr;
  state = k.loop(k.index(0), scope.countTokens(op.getInput()), k.index(1), state,
                 [&](Value t, ValueRange before) {
                   Value x = scope.load(op.getInput(), {t, channel});
                   Value dt = scope.load(op.getDt(), {t, channel});
                   Value weighted = k.mulf(dt, x), y = skip ? k.mulf(skip, x) : k.f32(0);
                   Values after;
                   for (int64_t n = 0; n < states; ++n) {
                     Value b = scope.load(op.getB(), {t, k.index(n)});
                     Value c = scope.load(op.getC(), {t, k.index(n)});
                     Value decay = k.exp(k.mulf(dt, a[n]));
                     after.push_back(k.fma(decay, before[n], k.mulf(weighted, b)));
                     y = k.fma(c, after.back(), y);
                   }
                   scope.store(op.getResult(), {t, channel}, y);
                   return after;
                 });
  if (places.isStored())
    storeState(places, state, channel);
}

Grid ssm::getSelectiveScanGrid(SelectiveScanOp op) {
  int64_t channels = cast<RankedTensorType>(op.getState().getType()).getDimSize(0);
  return {llvm::divideCeilSigned(channels, XeBuilder::kItems), 0};
}

void ssm::emitSelectiveScan(LaunchScope &scope, SelectiveScanOp op, GroupIndex at) {
  XeBuilder &k = scope.k;
  int64_t channels = cast<RankedTensorType>(op.getState().getType()).getDimSize(0);
  Value channel = k.add(k.mul(at.group, XeBuilder::kItems), k.item);
  k.ifThen(k.isLess(channel, k.index(channels)), [&] { scanChannel(scope, op, channel); });
}
