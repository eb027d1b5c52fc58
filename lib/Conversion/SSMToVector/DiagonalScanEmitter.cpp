//===- DiagonalScanEmitter.cpp - S4D's diagonal complex recurrence --------===//

#include "Emitters.h"
#include "IntegerRounding.h"
#include "StateRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "ssmq/Formats/StaticRanges.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Values = KernelBuilder::Values;

/// The states of a head stay in registers while the tokens pass; lanes are real and imaginary parts
/// in turn, as the state lies in memory. a s is aRe * (re, im) + aIm * (-im, re). A state in f32
/// with a format is rounded to it behind each token.
class DiagonalScanEmitter {
public:
  DiagonalScanEmitter(KernelBuilder &k, DiagonalScanOp::Adaptor op, Value result);
  void run();

private:
  /// One vector a chunk of a head's states.
  struct System {
    Values aRe, aIm, b, c;
    Value d;
    std::optional<IntegerRounding::Grid> grid;
  };

  void scanHead(Value head);
  System loadSystem(Value head);
  void step(Value t, Value head, const System &system, Values &state);
  /// Lanes 2 i and 2 i + 1 of the result are lanes 2 i + first and 2 i + second.
  Value arrange(Value vector, int64_t first, int64_t second);
  Value times(Value vector, ArrayRef<float> factors);
  Value round(Value state, const IntegerRounding::Grid &grid);

  KernelBuilder &k;
  DiagonalScanOp::Adaptor op;
  Value result, tokens;
  int64_t heads, columns;
  StateRows rowsOf;
  std::optional<IntegerRounding> rounding;
  /// Of grids: of all heads or one for all.
  Value table;
  bool hasOneGrid = false;
};

} // namespace

DiagonalScanEmitter::DiagonalScanEmitter(KernelBuilder &k, DiagonalScanOp::Adaptor op, Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getInput(), 0)),
      rowsOf(k, op.getState(), op.getStateScales(), op.getStateFormatAttr()) {
  auto type = cast<MemRefType>(op.getState().getType());
  heads = type.getDimSize(0);
  columns = type.getDimSize(1);
  if (!type.getElementType().isF32() || !op.getStateFormat())
    return;
  std::shared_ptr<const ::ssmq::Format> format = op.getStateFormatAttr().getFormat();
  std::vector<::ssmq::RunGrid> grids = ::ssmq::fitGrids(*format, *op.getStateRanges());
  rounding.emplace(k, format->getNumerics());
  table = rounding->makeTable(grids);
  hasOneGrid = grids.size() == 1;
}

bool mlir::ssm::roundsItsState(Operation *op) {
  auto scan = dyn_cast<DiagonalScanOp>(op);
  if (!scan || !scan.getStateFormat())
    return false;
  std::shared_ptr<const ::ssmq::Format> format = scan.getStateFormatAttr().getFormat();
  ::ssmq::Sharing::Kind sharing = format->getSharing().kind;
  return scan.getState().getType().getElementType().isF32() && format->getNumerics().getInteger() &&
         format->needsRanges() && sharing != ::ssmq::Sharing::Group;
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

Value DiagonalScanEmitter::round(Value state, const IntegerRounding::Grid &grid) {
  Value scale = k.splat(grid.scale, rowsOf.getLanes());
  Value rounded = arith::MulFOp::create(k, rounding->roundToSteps(state, grid), scale);
  return rounding->keepNonFinite(state, rounded);
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
    system.grid = rounding->loadGrid(table, hasOneGrid ? k.index(0) : head, /*lanes=*/0);
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
    if (system.grid)
      state[i] = round(state[i], *system.grid);
  }
  Value y = k.sumLanes(sums);
  if (system.d)
    y = arith::AddFOp::create(k, y, arith::MulFOp::create(k, system.d, scalar));
  k.storeScalar(y, result, {t, head});
}

void DiagonalScanEmitter::scanHead(Value head) {
  auto at = [&](int64_t) -> StateRows::Place { return {{head}, head}; };
  System system = loadSystem(head);
  StateRows::Rows state = rowsOf.load(1, at);
  if (getConstantIntValue(tokens) == 1)
    step(k.index(0), head, system, state.vectors);
  else
    state.vectors = k.loop(k.index(0), tokens, 1, state.vectors, [&](Value t, ValueRange before) {
      Values next(before);
      step(t, head, system, next);
      return next;
    });
  rowsOf.store(state, 1, at);
}

void DiagonalScanEmitter::run() {
  k.parallel(k.index(heads), k.mul(tokens, columns * 4), [&](Value head) { scanHead(head); });
}

void mlir::ssm::emit(KernelBuilder &k, DiagonalScanOp::Adaptor op, ValueRange results) {
  DiagonalScanEmitter(k, op, results.front()).run();
}
