//===- DiagonalScan.cpp - S4D's diagonal complex recurrence ---------------===//
//
// A sub-group has a head, whose states stay in registers while the tokens pass. Lanes have columns
// of the state, real and imaginary parts in turn, so that a neighbour has the other part:
// a s is aRe * (re, im) + aIm * (-im, re).
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "RunRounding.h"
#include "StateLanes.h"
#include "ssmq/Formats/StaticRanges.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;

using Values = XeBuilder::Values;

namespace {
/// One number a lane and chunk.
struct System {
  Values aRe, aIm, b, c;
  Value d;
};

/// Rounds the state of a head behind a token: the sub-group has all numbers of each of its runs.
class LaneRounding {
public:
  LaneRounding(XeBuilder &k, const ::ssmq::Format &format, ArrayRef<float> ranges,
               ArrayRef<StateLanes::Chunk> chunks, Value head);
  void round(Values &state);

private:
  void fitRuns(ArrayRef<Value> state);

  RunRounding rounding;
  ArrayRef<StateLanes::Chunk> chunks;
  bool isStatic;
  /// Of the runs of the head.
  SmallVector<IntegerGrid> grids;
};
} // namespace

LaneRounding::LaneRounding(XeBuilder &k, const ::ssmq::Format &format, ArrayRef<float> ranges,
                           ArrayRef<StateLanes::Chunk> chunks, Value head)
    : rounding(k, format.getNumerics()), chunks(chunks), isStatic(format.needsRanges()) {
  int64_t runs = chunks.back().run + 1;
  grids.resize(runs);
  if (!isStatic)
    return;
  std::vector<::ssmq::RunGrid> known = ::ssmq::fitGrids(format, ranges);
  Place table = rounding.makeTable(known);
  for (int64_t run = 0; run < runs; ++run)
    grids[run] =
        rounding.loadGrid(table, known.size() == 1 ? k.index(0) : k.add(k.mul(head, runs), run));
}

void LaneRounding::fitRuns(ArrayRef<Value> state) {
  for (size_t i = 0; i < state.size();) {
    int64_t run = chunks[i].run;
    Values range = rounding.startRange();
    for (; i < state.size() && chunks[i].run == run; ++i)
      range = rounding.addToRange(range, state[i]);
    grids[run] = rounding.fit(rounding.mergeSubgroup(range));
  }
}

void LaneRounding::round(Values &state) {
  if (!isStatic && rounding.grids.hasGrids())
    fitRuns(state);
  for (auto [number, chunk] : llvm::zip_equal(state, chunks))
    number = rounding.grids.round(number, grids[chunk.run]);
}

bool ssm::roundsStateInLanes(DiagonalScanOp op) {
  if (!op.getStateFormat())
    return false;
  std::shared_ptr<const ::ssmq::Format> format = op.getStateFormatAttr().getFormat();
  const ::ssmq::Numerics &numerics = format->getNumerics();
  // A grid of all heads would take all sub-groups.
  bool isOfOneHead = format->needsRanges() || numerics.hasFixedSharing() ||
                     format->getSharing().kind != Sharing::PerTensor;
  return RunGrids::handles(numerics) && isOfOneHead;
}

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

/// Columns of a row that share a scale, 0 for all.
static int64_t getRunColumns(DiagonalScanOp op) {
  if (!op.getStateFormat())
    return 0;
  Sharing sharing = op.getStateFormatAttr().getFormat()->getSharing();
  return sharing.kind == Sharing::Group ? sharing.groupSize : 0;
}

static void scanHead(LaunchScope &scope, DiagonalScanOp op, Value head) {
  XeBuilder &k = scope.k;
  StoredStatePlaces places(scope, op);
  StateLanes lanes(places, getRunColumns(op));
  System system = loadSystem(scope, op, lanes, head);
  std::optional<LaneRounding> rounding;
  if (op.getStateFormat())
    rounding.emplace(k, *op.getStateFormatAttr().getFormat(),
                     op.getStateRanges().value_or(ArrayRef<float>()), lanes.getChunks(), head);
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
                          if (rounding)
                            rounding->round(after);
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
