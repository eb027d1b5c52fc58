//===- DiagonalScanEmitter.cpp - S4D's diagonal complex recurrence --------===//

#include "Emitters.h"
#include "RowRounding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "ssmq/Formats/Format.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Values = KernelBuilder::Values;

/// The states of a head stay in registers while the tokens pass; lanes are real and imaginary parts
/// in turn, as the state lies in memory. a s is aRe * (re, im) + aIm * (-im, re). A state with a
/// format is rounded to it behind each token.
class DiagonalScanEmitter {
public:
  DiagonalScanEmitter(KernelBuilder &k, DiagonalScanOp::Adaptor op, Value result);
  void run();

private:
  /// One vector a chunk of a head's states.
  struct System {
    Values aRe, aIm, b, c;
    Value d;
    RowRounding::Grids grids;
  };

  void scanHead(Value head);
  /// The heads by turns in each token, where they wait for each other to be rounded.
  void scanTogether();
  StateRows::Rows loadState(Value head);
  void storeState(const StateRows::Rows &state, Value head);
  System loadSystem(Value head);
  void step(Value t, Value head, const System &system, Values &state);
  /// Lanes 2 i and 2 i + 1 of the result are lanes 2 i + first and 2 i + second.
  Value arrange(Value vector, int64_t first, int64_t second);
  Value times(Value vector, ArrayRef<float> factors);

  KernelBuilder &k;
  DiagonalScanOp::Adaptor op;
  Value result, tokens;
  int64_t heads, columns;
  StateRows rowsOf;
  std::optional<RowRounding> rounding;
};

} // namespace

DiagonalScanEmitter::DiagonalScanEmitter(KernelBuilder &k, DiagonalScanOp::Adaptor op, Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getInput(), 0)),
      // A complex number at least.
      rowsOf(k, op.getState(), op.getStateScales(), op.getStateFormatAttr(), /*leastLanes=*/2) {
  auto type = cast<MemRefType>(op.getState().getType());
  heads = type.getDimSize(0);
  columns = type.getDimSize(1);
  if (op.getStateFormat())
    rounding.emplace(k, rowsOf, *op.getStateFormatAttr().getFormat(),
                     op.getStateRanges().value_or(ArrayRef<float>()));
}

bool mlir::ssm::roundsItsState(Operation *op) {
  auto scan = dyn_cast<DiagonalScanOp>(op);
  return scan && scan.getStateFormat() &&
         RowRounding::handles(*scan.getStateFormatAttr().getFormat());
}

Value DiagonalScanEmitter::arrange(Value vector, int64_t first, int64_t second) {
  SmallVector<int64_t> places;
  for (int64_t lane = 0; lane < rowsOf.getLanes(); lane += 2)
    places.append({lane + first, lane + second});
  return k.shuffle(vector, vector, places);
}

/// Lanes 2 i and 2 i + 1 times the two factors.
Value DiagonalScanEmitter::times(Value vector, ArrayRef<float> factors) {
  SmallVector<float> lanes;
  for (int64_t lane = 0; lane < rowsOf.getLanes(); ++lane)
    lanes.push_back(factors[lane % 2]);
  Value constant = arith::ConstantOp::create(
      k, DenseElementsAttr::get(k.vectorType(rowsOf.getLanes()), ArrayRef<float>(lanes)));
  return arith::MulFOp::create(k, vector, constant);
}

DiagonalScanEmitter::System DiagonalScanEmitter::loadSystem(Value head) {
  System system;
  for (const StateRows::Chunk &chunk : rowsOf.getChunks()) {
    auto load = [&](Value buffer) {
      return k.pad(k.load(buffer, {head, k.index(chunk.start)}, chunk.count), rowsOf.getLanes());
    };
    Value a = load(op.getA());
    system.aRe.push_back(arrange(a, 0, 0));
    system.aIm.push_back(times(arrange(a, 1, 1), {-1, 1}));
    system.b.push_back(load(op.getB()));
    // 2 Re(c s) = 2 cRe re - 2 cIm im.
    system.c.push_back(times(load(op.getC()), {2, -2}));
  }
  if (op.getD())
    system.d = k.loadScalar(op.getD(), {head});
  if (rounding)
    system.grids = rounding->loadGrids(head);
  return system;
}

void DiagonalScanEmitter::step(Value t, Value head, const System &system, Values &state) {
  int64_t lanes = rowsOf.getLanes();
  Value scalar = k.loadScalar(op.getInput(), {t, head}), x = k.splat(scalar, lanes);
  Value sums = k.zeros(lanes);
  for (size_t i = 0; i < state.size(); ++i) {
    Value driven = arith::MulFOp::create(k, system.b[i], x);
    Value turned = k.fma(system.aIm[i], arrange(state[i], 1, 0), driven);
    state[i] = k.fma(system.aRe[i], state[i], turned);
    sums = k.fma(system.c[i], state[i], sums);
  }
  if (rounding && !rounding->needsAllRows())
    rounding->round(state, system.grids);
  Value y = k.sumLanes(sums);
  if (system.d)
    y = arith::AddFOp::create(k, y, arith::MulFOp::create(k, system.d, scalar));
  k.storeScalar(y, result, {t, head});
}

StateRows::Rows DiagonalScanEmitter::loadState(Value head) {
  return rowsOf.load(1, [&](int64_t) -> StateRows::Place { return {{head}, head}; });
}

void DiagonalScanEmitter::storeState(const StateRows::Rows &state, Value head) {
  rowsOf.store(state, 1, [&](int64_t) -> StateRows::Place { return {{head}, head}; });
}

void DiagonalScanEmitter::scanHead(Value head) {
  System system = loadSystem(head);
  StateRows::Rows state = loadState(head);
  if (getConstantIntValue(tokens) == 1)
    step(k.index(0), head, system, state.vectors);
  else
    state.vectors = k.loop(k.index(0), tokens, 1, state.vectors, [&](Value t, ValueRange before) {
      Values next(before);
      step(t, head, system, next);
      return next;
    });
  storeState(state, head);
}

void DiagonalScanEmitter::scanTogether() {
  Value begin = k.index(0), end = k.index(heads);
  k.loop(begin, tokens, 1, [&](Value t) {
    Values range =
        k.loop(begin, end, 1, rounding->startRange(), [&](Value head, ValueRange before) {
          StateRows::Rows state = loadState(head);
          step(t, head, loadSystem(head), state.vectors);
          storeState(state, head);
          return rounding->addToRange(before, state.vectors);
        });
    RowRounding::Grids grids = {rounding->fit(range)};
    k.loop(begin, end, 1, [&](Value head) {
      StateRows::Rows state = loadState(head);
      rounding->round(state.vectors, grids);
      storeState(state, head);
    });
  });
}

void DiagonalScanEmitter::run() {
  if (rounding && rounding->needsAllRows())
    return scanTogether();
  // Rounding takes twice the instructions of a step.
  int64_t work = columns * 4 * (rounding ? 3 : 1);
  k.parallel(k.index(heads), k.mul(tokens, work), [&](Value head) { scanHead(head); });
}

void mlir::ssm::emit(KernelBuilder &k, DiagonalScanOp::Adaptor op, ValueRange results) {
  DiagonalScanEmitter(k, op, results.front()).run();
}
