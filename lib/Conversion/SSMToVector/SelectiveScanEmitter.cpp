//===- SelectiveScanEmitter.cpp - Mamba-1 selective scan ------------------===//

#include "Emitters.h"
#include "Exp2.h"
#include "StateRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Values = KernelBuilder::Values;

/// The states of some channels stay in registers while the tokens pass. Lanes are state indices for
/// one token, as the state lies in memory, and for codes, whose scales are of rows; they are
/// channels for many tokens, so that the sum over the states of a channel crosses no lanes.
class SelectiveScanEmitter {
public:
  SelectiveScanEmitter(KernelBuilder &k, SelectiveScanOp::Adaptor op, Value result);
  void run();

private:
  void alongStates();
  void channelRows(Value channel, int64_t rows);
  void stepRows(Value t, Value channel, ArrayRef<Value> a, Value skip, Values &state);
  void alongChannels();
  void channelBlock(Value channel, int64_t count, int64_t firstState, int64_t numStates);
  Values loadTransposed(Value matrix, Value channel, int64_t count, int64_t first, int64_t size);
  void storeTransposed(Values columns, Value channel, int64_t count, int64_t first);
  Value getWork() { return k.mul(tokens, channels * states * (3 + KernelBuilder::workOfExp)); }

  KernelBuilder &k;
  SelectiveScanOp::Adaptor op;
  Value result, tokens;
  int64_t channels, states;
  StateRows rowsOf;
};

} // namespace

SelectiveScanEmitter::SelectiveScanEmitter(KernelBuilder &k, SelectiveScanOp::Adaptor op,
                                           Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getInput(), 0)),
      rowsOf(k, op.getState(), op.getStateScales(), op.getStateFormatAttr()) {
  auto type = cast<MemRefType>(op.getState().getType());
  channels = type.getDimSize(0);
  states = type.getDimSize(1);
}

/// The rows' state after token `t`, with the token's results stored.
void SelectiveScanEmitter::stepRows(Value t, Value channel, ArrayRef<Value> a, Value skip,
                                    Values &state) {
  ArrayRef<StateRows::Chunk> chunks = rowsOf.getChunks();
  int64_t lanes = rowsOf.getLanes(), rows = state.size() / chunks.size();
  Values b, c, sums(rows, k.zeros(lanes));
  for (const StateRows::Chunk &chunk : chunks) {
    b.push_back(k.pad(k.load(op.getB(), {t, k.index(chunk.start)}, chunk.count), lanes));
    c.push_back(k.pad(k.load(op.getC(), {t, k.index(chunk.start)}, chunk.count), lanes));
  }
  Value x = k.load(op.getInput(), {t, channel}, rows);
  Value dts = k.load(op.getDt(), {t, channel}, rows);
  Value exponents = arith::MulFOp::create(k, dts, k.splat(k.f32(kLog2E), rows));
  Value weighted = arith::MulFOp::create(k, dts, x);
  for (int64_t r = 0; r < rows; ++r) {
    Value dt = k.splat(k.extract(exponents, r), lanes);
    Value dtx = k.splat(k.extract(weighted, r), lanes);
    for (size_t i = 0; i < chunks.size(); ++i) {
      Value &h = state[r * chunks.size() + i];
      Value exponent = arith::MulFOp::create(k, dt, a[r * chunks.size() + i]);
      h = k.fma(emitExp2(k, exponent), h, arith::MulFOp::create(k, dtx, b[i]));
      sums[r] = k.fma(c[i], h, sums[r]);
    }
  }
  Value y = k.sumEach(sums);
  if (skip)
    y = k.fma(skip, x, y);
  k.store(y, result, {t, channel});
}

void SelectiveScanEmitter::channelRows(Value channel, int64_t rows) {
  auto at = [&](int64_t r) -> StateRows::Place { return {{k.add(channel, r)}, k.add(channel, r)}; };
  Values a;
  for (int64_t r = 0; r < rows; ++r)
    for (const StateRows::Chunk &chunk : rowsOf.getChunks())
      a.push_back(k.pad(k.load(op.getA(), {k.add(channel, r), k.index(chunk.start)}, chunk.count),
                        rowsOf.getLanes()));
  Value skip = op.getD() ? k.load(op.getD(), channel, rows) : nullptr;
  StateRows::Rows state = rowsOf.load(rows, at);
  if (getConstantIntValue(tokens) == 1) {
    stepRows(k.index(0), channel, a, skip, state.vectors);
    return rowsOf.store(state, rows, at);
  }
  state.vectors = k.loop(k.index(0), tokens, 1, state.vectors, [&](Value t, ValueRange before) {
    Values next(before);
    stepRows(t, channel, a, skip, next);
    return next;
  });
  rowsOf.store(state, rows, at);
}

void SelectiveScanEmitter::alongStates() {
  // a and the state share the registers.
  int64_t rows = std::clamp<int64_t>(8 / rowsOf.getChunks().size(), 1, 4);
  rows = std::min(rows, k.lanesFor(channels));
  k.parallel(k.index(channels / rows), getWork(),
             [&](Value i) { channelRows(k.mul(i, rows), rows); });
  if (int64_t rest = channels % rows)
    channelRows(k.index(channels - rest), rest);
}

/// All rows of a matrix one after the other, where parting them so costs less than an exchange of
/// rows and columns; else null.
static Value getRun(KernelBuilder &k, Value matrix, int64_t size, int64_t lanes) {
  auto type = cast<MemRefType>(matrix.getType());
  if (size != type.getDimSize(1) || size * size > 4 * lanes || !type.getLayout().isIdentity())
    return nullptr;
  return memref::CollapseShapeOp::create(k, matrix, ArrayRef<ReassociationIndices>{{0, 1}});
}

/// Columns [first, first + size) of the rows of `count` channels, each a vector over the channels.
Values SelectiveScanEmitter::loadTransposed(Value matrix, Value channel, int64_t count,
                                            int64_t first, int64_t size) {
  int64_t lanes = k.lanesFor(channels);
  Values result;
  if (Value run = getRun(k, matrix, size, lanes)) {
    Value begin = k.mul(channel, size);
    Values parts;
    for (int64_t at = 0; at < count * size; at += lanes)
      parts.push_back(
          k.pad(k.load(run, k.add(begin, at), std::min(lanes, count * size - at)), lanes));
    for (int64_t column = 0; column < size; ++column) {
      SmallVector<int64_t> places;
      for (int64_t r = 0; r < lanes; ++r)
        places.push_back(std::min(r, count - 1) * size + column);
      result.push_back(k.pick(parts, places));
    }
    return result;
  }
  for (int64_t at = 0; at < size; at += lanes) {
    int64_t width = std::min(lanes, size - at);
    Values rows(lanes, k.zeros(lanes));
    for (int64_t r = 0; r < count; ++r)
      rows[r] = k.pad(k.load(matrix, {k.add(channel, r), k.index(first + at)}, width), lanes);
    llvm::append_range(result, ArrayRef(k.transpose(rows)).take_front(width));
  }
  return result;
}

void SelectiveScanEmitter::storeTransposed(Values columns, Value channel, int64_t count,
                                           int64_t first) {
  int64_t lanes = k.lanesFor(channels), size = columns.size();
  Type stored = cast<MemRefType>(op.getState().getType()).getElementType();
  if (Value run = getRun(k, op.getState(), size, lanes)) {
    Value begin = k.mul(channel, size);
    for (int64_t at = 0; at < count * size; at += lanes) {
      SmallVector<int64_t> places;
      for (int64_t i = at; i < std::min(at + lanes, count * size); ++i)
        places.push_back(i % size * lanes + i / size);
      k.store(k.narrow(k.pick(columns, places), stored), run, k.add(begin, at));
    }
    return;
  }
  for (int64_t at = 0; at < size; at += lanes) {
    int64_t width = std::min(lanes, size - at);
    Values block(lanes, k.zeros(lanes));
    std::copy_n(columns.begin() + at, width, block.begin());
    Values rows = k.transpose(block);
    for (int64_t r = 0; r < count; ++r)
      k.store(k.slice(k.narrow(rows[r], stored), 0, width), op.getState(),
              {k.add(channel, r), k.index(first + at)});
  }
}

/// States [firstState, firstState + numStates) of `count` channels, whose part of the results is
/// added to that of the states before.
void SelectiveScanEmitter::channelBlock(Value channel, int64_t count, int64_t firstState,
                                        int64_t numStates) {
  int64_t lanes = k.lanesFor(channels);
  auto loadLanes = [&](Value buffer, ValueRange indices) {
    return k.pad(k.load(buffer, indices, count), lanes);
  };
  Values a = loadTransposed(op.getA(), channel, count, firstState, numStates);
  for (Value &vector : a)
    vector = arith::MulFOp::create(k, vector, k.splat(k.f32(kLog2E), lanes));
  Value skip = op.getD() ? loadLanes(op.getD(), channel) : nullptr;
  Values state = loadTransposed(op.getState(), channel, count, firstState, numStates);
  state = k.loop(k.index(0), tokens, 1, state, [&](Value t, ValueRange before) {
    Value x = loadLanes(op.getInput(), {t, channel}), dt = loadLanes(op.getDt(), {t, channel});
    Value weighted = arith::MulFOp::create(k, dt, x);
    Value y = k.zeros(lanes);
    if (firstState)
      y = loadLanes(result, {t, channel});
    else if (skip)
      y = arith::MulFOp::create(k, skip, x);
    Values after;
    for (int64_t n = 0; n < numStates; ++n) {
      Value b = k.splat(k.loadScalar(op.getB(), {t, k.index(firstState + n)}), lanes);
      Value c = k.splat(k.loadScalar(op.getC(), {t, k.index(firstState + n)}), lanes);
      Value decay = emitExp2(k, arith::MulFOp::create(k, dt, a[n]));
      Value h = k.fma(decay, before[n], arith::MulFOp::create(k, weighted, b));
      y = k.fma(c, h, y);
      after.push_back(h);
    }
    k.store(k.slice(y, 0, count), result, {t, channel});
    return after;
  });
  storeTransposed(state, channel, count, firstState);
}

void SelectiveScanEmitter::alongChannels() {
  int64_t lanes = k.lanesFor(channels), most = k.target.vectorWidth >= 16 ? 16 : 8;
  auto block = [&](Value channel, int64_t count) {
    for (int64_t first = 0; first < states; first += most)
      channelBlock(channel, count, first, std::min(most, states - first));
  };
  int64_t whole = channels / lanes;
  k.parallel(k.index(whole), getWork(), [&](Value i) { block(k.mul(i, lanes), lanes); });
  if (int64_t rest = channels - whole * lanes)
    block(k.index(whole * lanes), rest);
}

void SelectiveScanEmitter::run() {
  if (rowsOf.hasScales() || k.lanesFor(channels) == 1)
    return alongStates();
  // Where the states of a channel fill no vector, those of several channels do.
  if (getConstantIntValue(tokens) == 1)
    return states < k.lanesFor(channels) ? alongChannels() : alongStates();
  // Below this the exchange of rows and columns costs more than sums over lanes.
  constexpr int64_t fewTokens = 8;
  Value isMany = arith::CmpIOp::create(k, arith::CmpIPredicate::sgt, tokens, k.index(fewTokens));
  auto branch = scf::IfOp::create(k, isMany, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(k);
  k.setInsertionPointToStart(branch.thenBlock());
  alongChannels();
  k.setInsertionPointToStart(branch.elseBlock());
  alongStates();
}

void mlir::ssm::emit(KernelBuilder &k, SelectiveScanOp::Adaptor op, ValueRange results) {
  SelectiveScanEmitter(k, op, results.front()).run();
}
