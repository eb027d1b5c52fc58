//===- DiagonalScan.cpp - S4D's diagonal complex recurrence ---------------===//
//
// A sub-group has a head, whose states stay in registers while the tokens pass. Lanes have columns
// of the state, real and imaginary parts in turn, so that a neighbour has the other part:
// a s is aRe * (re, im) + aIm * (-im, re).
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "StateLanes.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

namespace {
/// One number a lane and chunk.
struct System {
  Values aRe, aIm, b, c;
  Value d;
};
} // namespace

static System loadSystem(LaunchScope &scope, DiagonalScanOp op, StateLanes &lanes, Value head) {
  XeBuilder &k = scope.k;
  System system;
  Value isReal = k.isEqual(k.rem(k.lane, 2), k.index(0));
  auto signedBy = [&](Value number, float real, float imaginary) {
    return k.mulf(number, k.select(isReal, k.f32(real), k.f32(imaginary)));
  };
  for (const StateLanes::Chunk &chunk : lanes.getChunks()) {
    Value column = lanes.getColumn(chunk);
    auto load = [&](Value tensor, Value column) {
      return lanes.mask(chunk, scope.load(tensor, {head, column}));
    };
    // Chunks begin at real parts, so that columns have the parity of lanes.
    Value real = k.mul(k.floorDiv(column, 2), 2);
    system.aRe.push_back(load(op.getA(), real));
    system.aIm.push_back(signedBy(load(op.getA(), k.add(real, 1)), -1, 1));
    system.b.push_back(load(op.getB(), column));
    system.c.push_back(signedBy(load(op.getC(), column), 2, -2));
  }
  if (op.getD())
    system.d = scope.load(op.getD(), head);
  return system;
}

static void scanHead(LaunchScope &scope, DiagonalScanOp op, Value head) {
  XeBuilder &k = scope.k;
  StoredStatePlaces places(scope, op);
  StateLanes lanes(places);
  System system = loadSystem(scope, op, lanes, head);
  Values state = k.loop(k.index(0), scope.countTokens(op.getInput()), k.index(1),
                        lanes.load({head}), [&](Value t, ValueRange before) {
                          Value x = scope.load(op.getInput(), {t, head}), sum = k.f32(0);
                          Values after;
                          for (size_t i = 0; i < before.size(); ++i) {
                            Value turned = k.fma(system.aIm[i], k.shuffleXor(before[i], 1),
                                                 k.mulf(system.b[i], x));
                            after.push_back(k.fma(system.aRe[i], before[i], turned));
                            sum = k.fma(system.c[i], after[i], sum);
                          }
                          sum = k.sumSubgroup(sum);
                          if (system.d)
                            sum = k.fma(system.d, x, sum);
                          k.ifThen(k.isEqual(k.lane, k.index(0)),
                                   [&] { scope.store(op.getResult(), {t, head}, sum); });
                          return after;
                        });
  if (places.isStored())
    lanes.store(state, {head});
}

static int64_t countHeads(DiagonalScanOp op) {
  return cast<RankedTensorType>(op.getState().getType()).getDimSize(0);
}

Grid ssm::getDiagonalScanGrid(DiagonalScanOp op) {
  return {llvm::divideCeilSigned(countHeads(op), XeBuilder::kSubgroups), 0};
}

void ssm::emitDiagonalScan(LaunchScope &scope, DiagonalScanOp op, GroupIndex at) {
  XeBuilder &k = scope.k;
  Value head = k.add(k.mul(at.group, XeBuilder::kSubgroups), k.subgroup);
  k.ifThen(k.isLess(head, k.index(countHeads(op))), [&] { scanHead(scope, op, head); });
}
