//===- SSDScan.cpp - Mamba-2 state-space dual scan ------------------------===//
//
// Channels of a head are rows of its state, some of which a sub-group keeps in registers while the
// tokens pass; lanes have the state's columns, over which shuffles sum. Work-groups have blocks of
// rows of one head: nothing else reads or writes them. Where a head shares one scale, its group
// takes all of its blocks, and scans those that registers do not hold a second time for their
// codes.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "StateLanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

namespace {

struct Shape {
  explicit Shape(SSDScanOp op);

  int64_t heads, headDim, states, groups;
  /// Of a sub-group, of a work-group, and how many of these make a head.
  int64_t rows, blockRows, blocks;
  bool oneScale;
};

class SSDScanEmitter {
public:
  SSDScanEmitter(LaunchScope &scope, SSDScanOp op)
      : scope(scope), k(scope.k), op(op), shape(op), places(scope, op), lanesOf(places) {}
  void run(Value group);

private:
  /// The rows of this sub-group in a block, behind the last token.
  Values scanBlock(Value head, Value block, bool withOutput);
  void step(Value t, Value head, Value first, MutableArrayRef<Value> state, bool withOutput);
  void store(ArrayRef<Value> state, Value head, Value block, const IntegerGrid *grid);
  void headOfOneScale(Value head);
  Value getFirstRow(Value block) {
    return k.add(k.mul(block, shape.blockRows), k.mul(k.subgroup, shape.rows));
  }
  /// A row that exists.
  Value getRow(Value first, int64_t r) {
    Value row = k.add(first, r);
    return shape.headDim % shape.blockRows ? k.min(row, k.index(shape.headDim - 1)) : row;
  }

  LaunchScope &scope;
  XeBuilder &k;
  SSDScanOp op;
  Shape shape;
  StoredStatePlaces places;
  StateLanes lanesOf;
};

} // namespace

Shape::Shape(SSDScanOp op) {
  ArrayRef<int64_t> sizes = cast<RankedTensorType>(op.getState().getType()).getShape();
  heads = sizes[0];
  headDim = sizes[1];
  states = sizes[2];
  groups = cast<RankedTensorType>(op.getB().getType()).getDimSize(1) / states;
  // Half of 128 registers leave room for b, c and sums.
  constexpr int64_t registers = 32;
  int64_t chunks = llvm::divideCeilSigned(states, XeBuilder::kLanes);
  int64_t most = llvm::divideCeilSigned(headDim, XeBuilder::kSubgroups);
  rows = std::clamp<int64_t>(registers / chunks, 1, std::min<int64_t>(most, 8));
  blockRows = rows * XeBuilder::kSubgroups;
  blocks = llvm::divideCeilSigned(headDim, blockRows);
  auto scales = op.getStateScales();
  oneScale =
      scales && cast<RankedTensorType>(scales.getType()).getDimSize(0) == heads && headDim > 1;
}

void SSDScanEmitter::step(Value t, Value head, Value first, MutableArrayRef<Value> state,
                          bool withOutput) {
  ArrayRef<StateLanes::Chunk> chunks = lanesOf.getChunks();
  Value dt = scope.load(op.getDt(), {t, head});
  Value decay = k.exp(k.mulf(dt, scope.load(op.getA(), head)));
  Value base = k.mul(k.floorDiv(head, shape.heads / shape.groups), shape.states);
  auto loadRow = [&](Value tensor) {
    Values row;
    for (const StateLanes::Chunk &chunk : chunks)
      row.push_back(
          lanesOf.mask(chunk, scope.load(tensor, {t, k.add(base, lanesOf.getColumn(chunk))})));
    return row;
  };
  Values b = loadRow(op.getB()), c;
  if (withOutput)
    c = loadRow(op.getC());
  Value column = k.mul(head, shape.headDim), output;
  Value skip = withOutput && op.getD() ? scope.load(op.getD(), head) : nullptr;
  for (int64_t r = 0; r < shape.rows; ++r) {
    Value x = scope.load(op.getInput(), {t, k.add(column, getRow(first, r))});
    Value weighted = k.mulf(dt, x), sum = k.f32(0);
    for (size_t i = 0; i < chunks.size(); ++i) {
      Value &s = state[r * chunks.size() + i];
      s = k.fma(decay, s, k.mulf(weighted, b[i]));
      if (withOutput)
        sum = k.fma(c[i], s, sum);
    }
    if (!withOutput)
      continue;
    sum = k.sumSubgroup(sum);
    if (skip)
      sum = k.fma(skip, x, sum);
    output = r == 0 ? sum : k.select(k.isEqual(k.lane, k.index(r)), sum, output);
  }
  if (!withOutput)
    return;
  // Lane r has the result of row r.
  Value row = k.add(first, k.lane);
  Value isMine =
      k.both(k.isLess(k.lane, k.index(shape.rows)), k.isLess(row, k.index(shape.headDim)));
  k.ifThen(isMine, [&] { scope.store(op.getResult(), {t, k.add(column, row)}, output); });
}

Values SSDScanEmitter::scanBlock(Value head, Value block, bool withOutput) {
  Value first = getFirstRow(block);
  Values state;
  for (int64_t r = 0; r < shape.rows; ++r)
    llvm::append_range(state, lanesOf.load({head, getRow(first, r)}));
  return k.loop(k.index(0), scope.countTokens(op.getInput()), k.index(1), state,
                [&](Value t, ValueRange before) {
                  Values next(before);
                  step(t, head, first, next, withOutput);
                  return next;
                });
}

void SSDScanEmitter::store(ArrayRef<Value> state, Value head, Value block,
                           const IntegerGrid *grid) {
  Value first = getFirstRow(block);
  size_t chunks = lanesOf.getChunks().size();
  for (int64_t r = 0; r < shape.rows; ++r) {
    Value row = k.add(first, r);
    ArrayRef<Value> numbers = state.slice(r * chunks, chunks);
    k.ifThen(k.isLess(row, k.index(shape.headDim)), [&] {
      grid ? lanesOf.store(numbers, {head, row}, *grid) : lanesOf.store(numbers, {head, row});
    });
  }
}

void SSDScanEmitter::headOfOneScale(Value head) {
  auto takeMost = [&](Value most, ArrayRef<Value> state) {
    for (Value number : state)
      most = places.takeMost(most, number);
    return most;
  };
  Value zero = k.index(0), most = k.i32(0);
  Values state;
  if (shape.blocks == 1) {
    state = scanBlock(head, zero, /*withOutput=*/true);
    most = takeMost(most, state);
  } else {
    most = k.loop(zero, k.index(shape.blocks), k.index(1), most,
                  [&](Value block, ValueRange before) -> Values {
                    return {takeMost(before[0], scanBlock(head, block, /*withOutput=*/true))};
                  })[0];
  }
  if (!places.isStored())
    return;
  // All have read the scale before it is written, as each takes part in the maximum.
  IntegerGrid grid = places.fit(k.reduceGroup(
      most, [&](Value a, Value b) -> Value { return arith::MaxSIOp::create(k, a, b); }));
  if (shape.blocks == 1) {
    store(state, head, zero, &grid);
  } else {
    k.loop(zero, k.index(shape.blocks), k.index(1), [&](Value block) {
      store(scanBlock(head, block, /*withOutput=*/false), head, block, &grid);
    });
    k.barrier();
  }
  k.ifThen(k.isEqual(k.item, zero), [&] { places.storeScale(grid, {head, zero}, 0); });
}

void SSDScanEmitter::run(Value group) {
  if (shape.oneScale)
    return headOfOneScale(group);
  Value head = k.floorDiv(group, shape.blocks), block = k.rem(group, shape.blocks);
  Values state = scanBlock(head, block, /*withOutput=*/true);
  if (places.isStored())
    store(state, head, block, nullptr);
}

Grid ssm::getSSDScanGrid(SSDScanOp op) {
  Shape shape(op);
  return {shape.oneScale ? shape.heads : shape.heads * shape.blocks, 0};
}

void ssm::emitSSDScan(LaunchScope &scope, SSDScanOp op, GroupIndex at) {
  SSDScanEmitter(scope, op).run(at.group);
}
