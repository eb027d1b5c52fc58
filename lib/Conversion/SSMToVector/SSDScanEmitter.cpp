//===- SSDScanEmitter.cpp - Mamba-2 state-space dual scan -----------------===//

#include "Emitters.h"
#include "SSDChunks.h"
#include "WideHead.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Values = KernelBuilder::Values;
using Rows = StateRows::Rows;

/// Rows of a head's state (its channels) stay in registers, cut into vectors along the state index,
/// while the tokens pass.
class SSDScanEmitter {
public:
  SSDScanEmitter(KernelBuilder &k, SSDScanOp::Adaptor op, Value result);
  void run();

private:
  void oneToken();
  void manyTokens();
  void oneTokenInCodes();

  /// One task runs all tokens on the rows of a head that are in registers at once.
  void blockOfRows(StateRows &rowsOf, Value decays, Value head, Value row, StateRows::Places at);
  StateRows::Place placeOf(Value head, Value row, int64_t r);
  /// exp(dt[t, head] a[head]).
  Value decayOf(Value t, Value head);
  /// The rows' state after token `t`, not yet rounded.
  void advance(Value t, Value head, Value row, Value decay, Values &state);
  void output(Value t, Value head, Value row, ArrayRef<Value> state);

  KernelBuilder &k;
  SSDScanOp::Adaptor op;
  Value result, tokens;
  int64_t heads, headDim, states, groups, lanes;
  StateRows rowsOf;
  /// Rows that are in registers at once; they divide those of a head.
  int64_t rows = 1;
};

} // namespace

SSDScanEmitter::SSDScanEmitter(KernelBuilder &k, SSDScanOp::Adaptor op, Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getInput(), 0)),
      rowsOf(k, op.getState(), op.getStateScales(), op.getStateFormatAttr()) {
  ArrayRef<int64_t> shape = cast<MemRefType>(op.getState().getType()).getShape();
  heads = shape[0];
  headDim = shape[1];
  states = shape[2];
  groups = cast<MemRefType>(op.getB().getType()).getDimSize(1) / states;
  lanes = rowsOf.getLanes();
  // Half of the registers of state leave room for b, c and sums. The chain of operations from the
  // largest magnitude to a scale is long: more rows at once, although they spill, fill its time.
  int64_t room = k.target.vectorWidth >= 16 ? 16 : 8;
  if (op.getStateScales() && !WideHead::hasOneScale(op))
    room *= 4;
  int64_t most = std::clamp<int64_t>(room / rowsOf.getChunks().size(), 1, 8);
  for (int64_t divisor = 1; divisor <= std::min(most, headDim); ++divisor)
    if (headDim % divisor == 0)
      rows = divisor;
}

StateRows::Place SSDScanEmitter::placeOf(Value head, Value row, int64_t r) {
  Value inHead = k.add(row, r);
  return {{head, inHead}, k.add(k.mul(head, headDim), inHead)};
}

Value SSDScanEmitter::decayOf(Value t, Value head) {
  Value product = arith::MulFOp::create(k, k.loadScalar(op.getDt(), {t, head}),
                                        k.loadScalar(op.getA(), {head}));
  return math::ExpOp::create(k, product);
}

void SSDScanEmitter::advance(Value t, Value head, Value row, Value decay, Values &state) {
  Value column = k.add(k.mul(head, headDim), row);
  Value group = k.mul(k.floorDiv(head, heads / groups), states);
  Value dt = k.loadScalar(op.getDt(), {t, head}), decays = k.splat(decay, lanes);
  ArrayRef<StateRows::Chunk> chunks = rowsOf.getChunks();
  Values b;
  for (const StateRows::Chunk &chunk : chunks)
    b.push_back(k.pad(k.load(op.getB(), {t, k.add(group, chunk.start)}, chunk.count), lanes));
  for (int64_t r = 0; r < rows; ++r) {
    Value x = k.loadScalar(op.getInput(), {t, k.add(column, r)});
    Value weighted = k.splat(arith::MulFOp::create(k, dt, x), lanes);
    for (size_t i = 0; i < chunks.size(); ++i) {
      Value &s = state[r * chunks.size() + i];
      s = k.fma(decays, s, arith::MulFOp::create(k, weighted, b[i]));
    }
  }
}

void SSDScanEmitter::output(Value t, Value head, Value row, ArrayRef<Value> state) {
  Value column = k.add(k.mul(head, headDim), row);
  Value group = k.mul(k.floorDiv(head, heads / groups), states);
  ArrayRef<StateRows::Chunk> chunks = rowsOf.getChunks();
  Values sums(rows, k.zeros(lanes));
  for (auto [i, chunk] : llvm::enumerate(chunks)) {
    Value c = k.pad(k.load(op.getC(), {t, k.add(group, chunk.start)}, chunk.count), lanes);
    for (int64_t r = 0; r < rows; ++r)
      sums[r] = k.fma(c, state[r * chunks.size() + i], sums[r]);
  }
  Value y = k.sumEach(sums);
  if (op.getD()) {
    Value skip = k.splat(k.loadScalar(op.getD(), head), rows);
    y = k.fma(skip, k.load(op.getInput(), {t, column}, rows), y);
  }
  k.store(y, result, {t, column});
}

/// A task is a head, or a part of one where there are few, so that its decay is computed once.
void SSDScanEmitter::oneToken() {
  constexpr int64_t enoughTasks = 16;
  int64_t blocks = headDim / rows;
  int64_t parts = std::clamp<int64_t>(llvm::divideCeil(enoughTasks, heads), 1, blocks);
  int64_t blocksOfPart = llvm::divideCeil(blocks, parts);
  Value t = k.index(0);
  k.parallel(k.index(heads * parts), k.index(3 * heads * headDim * states), [&](Value task) {
    Value head = k.floorDiv(task, parts), first = k.mul(k.rem(task, parts), blocksOfPart);
    Value last = k.min(k.add(first, blocksOfPart), k.index(blocks));
    Value decay = decayOf(t, head);
    k.loop(k.mul(first, rows), k.mul(last, rows), rows, [&](Value row) {
      auto at = [&](int64_t r) { return placeOf(head, row, r); };
      Rows state = rowsOf.load(rows, at);
      advance(t, head, row, decay, state.vectors);
      output(t, head, row, state.vectors);
      rowsOf.store(state, rows, at);
    });
  });
}

void SSDScanEmitter::blockOfRows(StateRows &rowsOf, Value decays, Value head, Value row,
                                 StateRows::Places at) {
  Rows state = rowsOf.load(rows, at);
  state.vectors = k.loop(k.index(0), tokens, 1, state.vectors, [&](Value t, ValueRange before) {
    Values next(before);
    advance(t, head, row, k.loadScalar(decays, {t, head}), next);
    output(t, head, row, next);
    return next;
  });
  rowsOf.store(state, rows, at);
}

void SSDScanEmitter::manyTokens() {
  // decays[t, h], once for all channels of a head.
  Value decays = k.allocate(tokens, {heads});
  k.loop(k.index(0), tokens, 1, [&](Value t) {
    k.overColumns(heads, k.lanesFor(heads), [&](Value head, int64_t count) {
      Value product = arith::MulFOp::create(k, k.load(op.getDt(), {t, head}, count),
                                            k.load(op.getA(), head, count));
      k.store(math::ExpOp::create(k, product), decays, {t, head});
    });
  });
  Value work = k.mul(tokens, 3 * heads * headDim * states);
  if (WideHead::hasOneScale(op)) {
    k.parallel(k.index(heads), work, [&](Value head) {
      WideHead wide(k, op, head);
      StateRows inFloats(k, wide.getBuffer(), nullptr, nullptr);
      k.loop(k.index(0), k.index(headDim), rows, [&](Value row) {
        blockOfRows(inFloats, decays, head, row, [&](int64_t r) -> StateRows::Place {
          return {{wide.getIndex(), k.add(row, r)}, nullptr};
        });
      });
      wide.finish();
    });
  } else {
    int64_t blocks = headDim / rows;
    k.parallel(k.index(heads * blocks), work, [&](Value task) {
      Value head = k.floorDiv(task, blocks), row = k.mul(k.rem(task, blocks), rows);
      blockOfRows(rowsOf, decays, head, row, [&](int64_t r) { return placeOf(head, row, r); });
    });
  }
  k.free(decays);
}

/// The scale of a head is known when all of its rows are: they are advanced twice, first for the
/// largest magnitude and the outputs, then for the codes, rather than kept in f32.
void SSDScanEmitter::oneTokenInCodes() {
  k.parallel(k.index(heads), k.index(6 * heads * headDim * states), [&](Value head) {
    Value zero = k.index(0), end = k.index(headDim), t = zero;
    Value decay = decayOf(t, head);
    Value scale = k.splat(k.loadScalar(op.getStateScales(), {head, zero}), rows);
    auto loadAdvanced = [&](Value row) {
      Rows state = rowsOf.load(rows, [&](int64_t r) { return placeOf(head, row, r); }, scale);
      advance(t, head, row, decay, state.vectors);
      return state;
    };
    Value none = rowsOf.magnitudeBits(k.zeros(lanes));
    Values most = k.loop(zero, end, rows, none, [&](Value row, ValueRange before) -> Values {
      Rows state = loadAdvanced(row);
      output(t, head, row, state.vectors);
      Value bits = before.front();
      for (Value vector : state.vectors)
        bits = arith::MaxSIOp::create(k, bits, rowsOf.magnitudeBits(vector));
      return {bits};
    });
    Value fitted = rowsOf.fitScales(k.mergeLanes(
        most, [&](Value a, Value b) -> Value { return arith::MaxSIOp::create(k, a, b); }));
    Value ofRows = k.splat(k.extract(fitted, 0), rows);
    k.loop(zero, end, rows, [&](Value row) {
      Rows state = loadAdvanced(row);
      state.scales = ofRows;
      rowsOf.storeVectors(state, rows, [&](int64_t r) { return placeOf(head, row, r); });
    });
    rowsOf.storeScales(fitted, head);
  });
}

void SSDScanEmitter::run() {
  if (getConstantIntValue(tokens) == 1)
    return WideHead::hasOneScale(op) ? oneTokenInCodes() : oneToken();
  SSDChunks chunks(k, op, result);
  if (!chunks.isSuitable())
    return manyTokens();
  Value isLong =
      arith::CmpIOp::create(k, arith::CmpIPredicate::sge, tokens, k.index(SSDChunks::fewestTokens));
  auto branch = scf::IfOp::create(k, isLong, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(k);
  k.setInsertionPointToStart(branch.thenBlock());
  chunks.run();
  k.setInsertionPointToStart(branch.elseBlock());
  manyTokens();
}

void mlir::ssm::emit(KernelBuilder &k, SSDScanOp::Adaptor op, ValueRange results) {
  SSDScanEmitter(k, op, results.front()).run();
}
