//===- SSDChunks.cpp - Mamba-2 scan of prompts by dpas --------------------===//
//
// The chunked form (arXiv 2405.21060, section 6) on dpas of f16 with sums of f32. In a chunk of
// tokens that begins with the state S, with D[i,j] = exp(sum of dt a over (j, i]):
//   y[i] = exp(sum of dt a up to i) S c[i] + sum_{j <= i} D[i,j] (c[i] . b[j]) dt[j] x[j] + d x[i]
// and the next state is S, faded, and the sum of D[last,j] dt[j] x[j] b[j]. Log decays are summed
// by SegmentSums, state and decays are f32. What is multiplied is rounded to f16 (2^-11 of each
// number): b and c as they are, all else in units that fit its block.
//
// A work-group has tiles of 16 channels of a head while all chunks pass. Its sub-groups share the
// state, and rows of 8 tokens of the results.
//
//===----------------------------------------------------------------------===//

#include "ChunkState.h"
#include "Emitters.h"
#include "MatrixBlocks.h"
#include "SegmentSums.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "ssmq/Dialect/SSM/IR/StoredStates.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

static constexpr int64_t kRows = MatrixBlocks::kRows, kLanes = XeBuilder::kLanes;
static constexpr int64_t kChunk = kSSDChunk;
static constexpr int64_t kRowBlocks = kChunk / kRows, kColumnBlocks = kChunk / kLanes;
/// Sub-groups with the same rows, which share the tiles of channels.
static constexpr int64_t kSharers = XeBuilder::kSubgroups / kRowBlocks;

namespace {

struct Shape {
  explicit Shape(SSDScanOp op);

  int64_t heads, headDim, states, groups;
  /// Tiles of a work-group, and how many of these make a head.
  int64_t tiles, parts;
  bool isSuitable = false;
};

class SSDChunksEmitter {
public:
  SSDChunksEmitter(LaunchScope &scope, SSDScanOp op, Value group);
  void run();

private:
  /// What a sub-group has of a chunk: 8 tokens.
  struct Rows {
    Value first;
    /// dt x of the sub-group's tiles, f32.
    Values inputs;
  };
  /// Units of what is rounded to f16, and the decay of the state over the chunk.
  struct Units {
    HalfScale input, state;
    Value decay;
  };

  Rows stage(Value first, ValueRange state);
  void stageKeys(Value first);
  Units round(const Rows &rows, ValueRange state);
  Values advance(const Units &units, ValueRange state);
  void finish(const Rows &rows, const Units &units);
  void store(const Rows &rows, int64_t number, Value numbers);

  Value getToken(Value token) { return k.min(token, k.add(tokens, -1)); }
  /// Of the sub-group's tiles; where there are too few, several have one.
  Value getTile(int64_t number) {
    return k.min(k.add(sharer, number * kSharers), k.index(shape.tiles - 1));
  }
  Value getChannel(Value tile) { return k.add(k.add(firstChannel, k.mul(tile, kLanes)), k.lane); }
  int64_t countTiles() const { return llvm::divideCeilSigned(shape.tiles, kSharers); }
  VectorType getType() { return VectorType::get({kRows}, k.getF32Type()); }
  Value zeros() { return splat(k, k.f32(0), kRows); }
  Value exp(Value numbers) { return math::ExpOp::create(k, numbers); }
  Value scale(Value numbers, Value factor) { return k.mulf(numbers, splat(k, factor, kRows)); }
  Value fitMost(const Place &mosts);

  LaunchScope &scope;
  XeBuilder &k;
  SSDScanOp op;
  Shape shape;
  Value tokens, head, firstChannel, keyColumn, rowBlock, sharer;
  StoredStatePlaces places;
  ChunkState stateOf;
  MatrixBlocks queries;
  /// f32 [tokens of a chunk]
  Place steps;
  /// The largest magnitudes that each sub-group has found, i32.
  Place mostOfInput, mostOfState;
  /// b [tokens, states]; dt x, and the same with the decay to the chunk's end [token blocks, tiles,
  /// lanes, tokens of a block]; the state [blocks, tiles, lanes, 16].
  HalfBlocks keys, inputs, faded, states;
  SegmentSums sums;
};

} // namespace

Shape::Shape(SSDScanOp op) {
  ArrayRef<int64_t> sizes = cast<RankedTensorType>(op.getState().getType()).getShape();
  heads = sizes[0];
  headDim = sizes[1];
  states = sizes[2];
  groups = cast<RankedTensorType>(op.getB().getType()).getDimSize(1) / states;
  std::optional<StoredState> stored;
  if (op.getStateScales())
    stored = getStoredState(op);
  bool isHeadOfOneScale = stored && stored->runRows > 1;
  int64_t ofHead = headDim / kLanes;
  // Two tiles a work-group leave enough of these for all sub-groups of the GPU.
  tiles = isHeadOfOneScale ? ofHead : ofHead % 2 ? 1 : 2;
  parts = tiles ? ofHead / tiles : 0;
  // Registers hold the state and c; columns of a scale are whole blocks.
  constexpr int64_t mostUnits = 4, mostBlocks = 16;
  int64_t blocks = states / ChunkState::kBlock;
  bool fits = tiles * blocks <= mostUnits * XeBuilder::kSubgroups && blocks <= mostBlocks;
  bool hasWholeRuns =
      !stored || stored->runColumns >= states || stored->runColumns % ChunkState::kBlock == 0;
  bool isOneHead = !isHeadOfOneScale || stored->runRows == headDim;
  isSuitable = headDim % kLanes == 0 && tiles > 0 && states % ChunkState::kBlock == 0 && fits &&
               hasWholeRuns && isOneHead && liesInMemory(op.getC());
}

SSDChunksEmitter::SSDChunksEmitter(LaunchScope &scope, SSDScanOp op, Value group)
    : scope(scope), k(scope.k), op(op), shape(op), tokens(scope.countTokens(op.getInput())),
      head(k.floorDiv(group, shape.parts)),
      firstChannel(k.mul(k.rem(group, shape.parts), shape.tiles * kLanes)),
      keyColumn(k.mul(k.floorDiv(head, shape.heads / shape.groups), shape.states)),
      rowBlock(k.rem(k.subgroup, kRowBlocks)), sharer(k.floorDiv(k.subgroup, kRowBlocks)),
      places(scope, op), stateOf(places, head, firstChannel, shape.tiles),
      queries(k, *scope.getPlace(op.getC()), tokens, shape.groups * shape.states,
              ChunkState::kBlock),
      steps(k.local(k.getF32Type(), {kChunk})),
      mostOfInput(k.local(k.getI32Type(), {XeBuilder::kSubgroups})),
      mostOfState(k.local(k.getI32Type(), {XeBuilder::kSubgroups})),
      keys(k, {kChunk, shape.states}), inputs(k, {kColumnBlocks, shape.tiles, kLanes, kLanes}),
      faded(k, {kColumnBlocks, shape.tiles, kLanes, kLanes}),
      states(k, {shape.states / ChunkState::kBlock, shape.tiles, kLanes, ChunkState::kBlock}),
      sums(k, steps, k.mul(rowBlock, kRows)) {}

/// b of all tokens and states, 0 behind the last token.
void SSDChunksEmitter::stageKeys(Value first) {
  for (int64_t i = 0; i < kChunk / XeBuilder::kSubgroups; ++i) {
    Value row = k.add(k.mul(k.subgroup, kChunk / XeBuilder::kSubgroups), i);
    Value t = k.add(first, row), isToken = k.isLess(t, tokens);
    for (int64_t column = 0; column < shape.states; column += kLanes) {
      Value at = k.add(k.lane, column);
      Value number = scope.load(op.getB(), {getToken(t), k.add(keyColumn, at)});
      keys.storeNumber(k.select(isToken, number, k.f32(0)), {row, at});
    }
  }
}

SSDChunksEmitter::Rows SSDChunksEmitter::stage(Value first, ValueRange state) {
  stageKeys(first);
  k.ifThen(k.isLess(k.item, k.index(kChunk)), [&] {
    Value t = k.add(first, k.item);
    Value step = k.mulf(scope.load(op.getDt(), {getToken(t), head}), scope.load(op.getA(), head));
    step = arith::MaximumFOp::create(k, step, k.f32(SegmentSums::kLeast));
    k.store(k.select(k.isLess(t, tokens), step, k.f32(0)), steps, k.item);
  });
  Rows rows{k.add(first, k.mul(rowBlock, kRows)), {}};
  Value column = k.mul(head, shape.headDim), most = k.i32(0);
  Values dts;
  for (int64_t i = 0; i < kRows; ++i) {
    Value t = k.add(rows.first, i), dt = scope.load(op.getDt(), {getToken(t), head});
    dts.push_back(k.select(k.isLess(t, tokens), dt, k.f32(0)));
  }
  for (int64_t number = 0; number < countTiles(); ++number) {
    Value channel = k.add(column, getChannel(getTile(number)));
    Values products;
    for (int64_t i = 0; i < kRows; ++i) {
      Value t = getToken(k.add(rows.first, i));
      products.push_back(k.mulf(dts[i], scope.load(op.getInput(), {t, channel})));
    }
    rows.inputs.push_back(vector::FromElementsOp::create(k, getType(), products));
    most = takeMost(k, most, rows.inputs.back());
  }
  Value ofState = reduceMost(k, stateOf.takeMost(state));
  most = reduceMost(k, most);
  k.ifThen(k.isEqual(k.lane, k.index(0)), [&] {
    k.store(most, mostOfInput, k.subgroup);
    k.store(ofState, mostOfState, k.subgroup);
  });
  return rows;
}

Value SSDChunksEmitter::fitMost(const Place &mosts) {
  Value most = k.load(mosts, k.index(0));
  for (int64_t i = 1; i < XeBuilder::kSubgroups; ++i)
    most = arith::MaxSIOp::create(k, most, k.load(mosts, k.index(i)));
  return most;
}

SSDChunksEmitter::Units SSDChunksEmitter::round(const Rows &rows, ValueRange state) {
  Units units{fitHalves(k, fitMost(mostOfInput)), fitHalves(k, fitMost(mostOfState)), {}};
  stateOf.round(state, units.state.factor, states);
  Value block = k.floorDiv(rowBlock, kLanes / kRows);
  Value rest = k.loop(block, k.index(kColumnBlocks), k.index(1), zeros(),
                      [&](Value behind, ValueRange before) {
                        auto own = sums.load(behind, SegmentSums::Side::BehindRow);
                        return Values{sums.addAll(own, before[0])};
                      })[0];
  Value decays = exp(rest), at = k.mul(k.rem(rowBlock, kLanes / kRows), kRows);
  for (auto [number, numbers] : llvm::enumerate(rows.inputs)) {
    Value tile = getTile(static_cast<int64_t>(number));
    inputs.store(roundToHalves(k, numbers, units.input.factor), {block, tile, k.lane, at});
    faded.store(roundToHalves(k, k.mulf(numbers, decays), units.input.factor),
                {block, tile, k.lane, at});
  }
  Value total = k.f32(0);
  for (int64_t i = 0; i < kChunk; i += kLanes)
    total = k.addf(total, k.load(steps, k.add(k.lane, i)));
  units.decay = k.exp(k.sumSubgroup(total));
  return units;
}

Values SSDChunksEmitter::advance(const Units &units, ValueRange state) {
  Values next;
  for (auto [number, unit] : llvm::enumerate(stateOf.getUnits()))
    for (int64_t sum = 0; sum < ChunkState::kSumsOfBlock; ++sum) {
      Value column = k.add(k.mul(unit.block, ChunkState::kBlock), sum * kRows), products = zeros();
      for (int64_t block = 0; block < kColumnBlocks; ++block) {
        Value rows = keys.load({k.add(k.lane, block * kLanes), column}, kRows);
        Value columns = faded.load({k.index(block), unit.tile, k.lane, k.index(0)}, kLanes);
        products = multiplyBlocks(k, rows, columns, products);
      }
      Value before = state[next.size()];
      next.push_back(k.addf(scale(before, units.decay), scale(products, units.input.inverse)));
    }
  return next;
}

void SSDChunksEmitter::store(const Rows &rows, int64_t number, Value numbers) {
  Value tile = k.add(sharer, number * kSharers);
  Value column = k.add(k.mul(head, shape.headDim), getChannel(tile));
  k.ifThen(k.isLess(tile, k.index(shape.tiles)), [&] {
    Value skip = op.getD() ? scope.load(op.getD(), head) : nullptr;
    for (int64_t i = 0; i < kRows; ++i) {
      Value t = k.add(rows.first, i);
      k.ifThen(k.isLess(t, tokens), [&] {
        Value y = vector::ExtractOp::create(k, numbers, i);
        if (skip)
          y = k.fma(skip, scope.load(op.getInput(), {t, column}), y);
        scope.store(op.getResult(), {t, column}, y);
      });
    }
  });
}

void SSDChunksEmitter::finish(const Rows &rows, const Units &units) {
  const int64_t blocks = shape.states / ChunkState::kBlock;
  Values c;
  for (int64_t block = 0; block < blocks; ++block)
    c.push_back(queries.load(rows.first, k.add(keyColumn, block * ChunkState::kBlock)));
  // The sums of log decays behind the block of columns, then what is summed of each tile.
  Values state(1 + countTiles(), zeros());
  Value last = k.floorDiv(rowBlock, kLanes / kRows);
  state = k.loop(k.index(0), k.add(last, 1), k.index(1), state, [&](Value i, ValueRange before) {
    Value block = arith::SubIOp::create(k, last, i), token = k.add(k.mul(block, kLanes), k.lane);
    Value products = zeros();
    for (int64_t n = 0; n < blocks; ++n)
      products = multiplyBlocks(
          k, c[n], keys.load({token, k.index(n * ChunkState::kBlock)}, ChunkState::kBlock),
          products);
    auto steps = sums.load(block, SegmentSums::Side::UpToRow);
    Value weights = k.mulf(products, exp(sums.addBehindLane(steps, before[0])));
    Values causal;
    for (int64_t row = 0; row < kRows; ++row) {
      Value isLater = k.isLess(k.add(k.mul(rowBlock, kRows), row), token);
      causal.push_back(
          k.select(isLater, k.f32(0), vector::ExtractOp::create(k, weights, row).getResult()));
    }
    weights = vector::FromElementsOp::create(k, getType(), causal);
    HalfScale unit = fitHalves(k, reduceMost(k, takeMost(k, k.i32(0), weights)));
    Value a = roundToHalves(k, weights, unit.factor);
    Values after = {sums.addAll(steps, before[0])};
    for (int64_t number = 0; number < countTiles(); ++number) {
      Value b = inputs.load({block, getTile(number), k.lane, k.index(0)}, kLanes);
      Value product = multiplyBlocks(k, a, b, zeros());
      after.push_back(k.addf(before[1 + number], scale(product, unit.inverse)));
    }
    return after;
  });
  Value decays = exp(state[0]);
  for (int64_t number = 0; number < countTiles(); ++number) {
    Value ofState = zeros();
    for (int64_t n = 0; n < blocks; ++n)
      ofState = multiplyBlocks(
          k, c[n], states.load({k.index(n), getTile(number), k.lane, k.index(0)}, kLanes), ofState);
    Value y = k.mulf(decays, scale(ofState, units.state.inverse));
    store(rows, number, k.addf(y, scale(state[1 + number], units.input.inverse)));
  }
}

void SSDChunksEmitter::run() {
  Values state = k.loop(k.index(0), tokens, k.index(kChunk), stateOf.load(),
                        [&](Value first, ValueRange before) {
                          Rows rows = stage(first, before);
                          k.barrier();
                          Units units = round(rows, before);
                          k.barrier();
                          Values next = advance(units, before);
                          finish(rows, units);
                          // The next chunk takes its place.
                          k.barrier();
                          return next;
                        });
  if (places.isStored())
    stateOf.store(state);
}

int64_t ssm::countSSDChunkGroups(SSDScanOp op) {
  Shape shape(op);
  return shape.isSuitable ? shape.heads * shape.parts : 0;
}

void ssm::emitSSDChunks(LaunchScope &scope, SSDScanOp op, Value group) {
  SSDChunksEmitter(scope, op, group).run();
}
