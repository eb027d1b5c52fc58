//===- ScanLoops.cpp - ssm.diagonal_scan as loops -------------------------===//

#include "ScanLoops.h"

using namespace mlir;
using namespace mlir::ssm;
using Values = LoopBuilder::Values;

namespace {

/// One step of all heads. In dynamic formats numbers wait, unrounded, until all of a grid are
/// known.
class StepEmitter {
public:
  StepEmitter(LoopBuilder &b, const StoredScan &scan, Value input)
      : b(b), scan(scan), input(input), heads(scan.state.getType().getDimSize(0)),
        columns(scan.state.getType().getDimSize(1)) {}

  /// `carried` is {outputs, state} and, in dynamic formats, {grids}; gives what it becomes.
  Values step(Value t, ValueRange carried);

private:
  /// Writes the numbers of a head to row `row` of `target`, as codes or unrounded.
  Value scanHead(Value t, Value head, Value state, Value grids, Value &target, Value row,
                 ValueRange rangeBefore, Values &range);
  Value roundRow(const CodedState::Grid &grid, Value waiting, Value row, Value state, Value head);

  LoopBuilder &b;
  const StoredScan &scan;
  Value input;
  int64_t heads, columns;
};

} // namespace

/// The output of a head; `target` is the state in static formats.
Value StepEmitter::scanHead(Value t, Value head, Value state, Value grids, Value &target, Value row,
                            ValueRange rangeBefore, Values &range) {
  Value x = b.extract(input, {t, head});
  StoredMatrix::Row aRow = scan.a.open(b, head), bRow = scan.b.open(b, head),
                    cRow = scan.c.open(b, head);
  CodedState::Grid grid = scan.state.load(b, grids, head);
  bool isStatic = !scan.state.isDynamic();
  Values inits = {b.real(0.0f), isStatic ? state : target};
  llvm::append_range(inits, rangeBefore);
  Values totals = b.loop(columns / 2, inits, [&](Value n, ValueRange before) -> Values {
    Value into = before[1], source = isStatic ? into : state;
    Value first = b.make<arith::MulIOp>(n, b.index(2));
    Value second = b.make<arith::AddIOp>(first, b.index(1));
    Value re = scan.state.decode(b, grid, b.extract(source, {head, first}));
    Value im = scan.state.decode(b, grid, b.extract(source, {head, second}));
    auto [aRe, aIm] = scan.a.loadComplex(b, aRow, n);
    auto [bRe, bIm] = scan.b.loadComplex(b, bRow, n);
    auto [cRe, cIm] = scan.c.loadComplex(b, cRow, n);
    auto negate = [&](Value value) -> Value { return arith::NegFOp::create(b, value); };
    Value nextRe = b.fma(aRe, re, b.fma(negate(aIm), im, b.make<arith::MulFOp>(bRe, x)));
    Value nextIm = b.fma(aRe, im, b.fma(aIm, re, b.make<arith::MulFOp>(bIm, x)));
    Values after = {b.fma(cRe, nextRe, b.fma(negate(cIm), nextIm, before[0])), into};
    Values seen(before.drop_front(2));
    for (auto [column, number] : {std::pair(first, nextRe), std::pair(second, nextIm)}) {
      Value stored = isStatic ? scan.state.encode(b, grid, number) : number;
      after[1] = b.insert(stored, after[1], {row, column});
      if (!isStatic)
        seen = scan.state.widenRange(b, seen, number);
    }
    llvm::append_range(after, seen);
    return after;
  });
  target = totals[1];
  range.assign(totals.begin() + 2, totals.end());
  Value y = b.make<arith::MulFOp>(b.real(2.0f), totals[0]);
  if (!scan.d)
    return y;
  Value d = scan.d->loadOfVector(b, head);
  return b.make<arith::AddFOp>(y, b.make<arith::MulFOp>(d, x));
}

/// The state with a row of unrounded numbers in codes.
Value StepEmitter::roundRow(const CodedState::Grid &grid, Value waiting, Value row, Value state,
                            Value head) {
  return b
      .loop(columns, state,
            [&](Value column, ValueRange before) -> Values {
              Value number = b.extract(waiting, {row, column});
              return {b.insert(scan.state.encode(b, grid, number), before[0], {head, column})};
            })
      .front();
}

Values StepEmitter::step(Value t, ValueRange carried) {
  bool isDynamic = scan.state.isDynamic(), isShared = isDynamic && scan.state.isShared();
  Values inits(carried);
  Values start = isDynamic ? scan.state.startRange(b) : Values();
  if (isDynamic)
    inits.push_back(tensor::EmptyOp::create(b, ArrayRef<int64_t>{isShared ? heads : 1, columns},
                                            b.getF32Type()));
  if (isShared)
    llvm::append_range(inits, start);
  Values after = b.loop(heads, inits, [&](Value head, ValueRange before) -> Values {
    Value outputs = before[0], state = before[1];
    Values range;
    if (!isDynamic) {
      Value y = scanHead(t, head, state, nullptr, state, head, {}, range);
      return {b.insert(y, outputs, {t, head}), state};
    }
    Value grids = before[2], waiting = before[3];
    Value row = isShared ? head : b.index(0);
    Value y = scanHead(t, head, state, grids, waiting, row,
                       isShared ? before.drop_front(4) : ValueRange(start), range);
    outputs = b.insert(y, outputs, {t, head});
    if (!isShared) {
      CodedState::Grid grid = scan.state.fit(b, range);
      state = roundRow(grid, waiting, row, state, head);
      return {outputs, state, scan.state.store(b, grid, grids, head), waiting};
    }
    Values next = {outputs, state, grids, waiting};
    llvm::append_range(next, range);
    return next;
  });
  if (isShared) {
    CodedState::Grid grid = scan.state.fit(b, ArrayRef(after).drop_front(4));
    after[2] = scan.state.store(b, grid, after[2], b.index(0));
    after[1] = b.loop(heads, after[1], [&](Value head, ValueRange before) -> Values {
                  return {roundRow(grid, after[3], head, before[0], head)};
                }).front();
  }
  after.truncate(carried.size());
  return after;
}

Values mlir::ssm::emitScan(LoopBuilder &b, const StoredScan &scan, Value input, Value state,
                           Value grids) {
  auto type = cast<RankedTensorType>(input.getType());
  Values inits = {tensor::EmptyOp::create(b, type.getShape(), b.getF32Type()), state};
  if (grids)
    inits.push_back(grids);
  StepEmitter emitter(b, scan, input);
  return b.loop(type.getDimSize(0), inits,
                [&](Value t, ValueRange carried) { return emitter.step(t, carried); });
}
