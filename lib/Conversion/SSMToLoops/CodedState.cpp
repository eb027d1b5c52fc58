//===- CodedState.cpp - A state in the codes of its format ----------------===//

#include "CodedState.h"

#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;
using Values = LoopBuilder::Values;

FailureOr<CodedState> CodedState::of(DiagonalScanOp op) {
  CodedState state;
  state.type = cast<RankedTensorType>(op.getState().getType());
  if (!state.type.getElementType().isF32() || op.getStateScales())
    return failure();
  if (!op.getStateFormat())
    return state;
  std::shared_ptr<const ::ssmq::Format> format = op.getStateFormatAttr().getFormat();
  const ::ssmq::Numerics &numerics = format->getNumerics();
  Builder builder(op.getContext());
  if (numerics.getSpelling() == "f16") {
    state.type = state.type.clone(builder.getF16Type());
    return state;
  }
  Sharing::Kind sharing = format->getSharing().kind;
  bool isStatic = format->needsRanges();
  // Scales of 16 bits have no place in grids of f16.
  if (!numerics.getInteger() || sharing == Sharing::Group ||
      (numerics.getCodeBits() > 8 && !isStatic))
    return failure();
  state.format = format;
  state.isSymmetric = !numerics.isAsymmetric();
  state.numGrids = sharing == Sharing::PerTensor ? 1 : state.type.getDimSize(0);
  state.type = state.type.clone(builder.getIntegerType(numerics.getCodeBits() > 8 ? 16 : 8));
  if (!isStatic) {
    state.gridsType = RankedTensorType::get({state.numGrids, 2}, builder.getF16Type());
    return state;
  }
  ArrayRef<float> bounds = *op.getStateRanges();
  if (static_cast<int64_t>(bounds.size()) != 2 * state.numGrids)
    return failure();
  state.parts.resize(IntegerGrids::kParts * state.numGrids);
  for (int64_t i = 0; i < state.numGrids; ++i) {
    ::ssmq::RunRange range;
    range.low = bounds[2 * i];
    range.high = bounds[2 * i + 1];
    ::ssmq::RunGrid grid;
    // A range that no scale holds gives an infinite one, as values do.
    numerics.fit(range, grid);
    for (auto [part, number] : llvm::enumerate(IntegerGrids::getParts(grid)))
      state.parts[part * state.numGrids + i] = number;
  }
  return state;
}

CodedState::Grid CodedState::load(LoopBuilder &b, Value grids, Value row) const {
  if (!format)
    return {};
  auto toLeast = [&](Value code) -> Value {
    return arith::FPToSIOp::create(b, b.getI32Type(), code);
  };
  if (isDynamic()) {
    auto part = [&](int64_t column) {
      return b.widen(b.extract(grids, {gridRow(b, row), b.index(column)}));
    };
    IntegerGrid values;
    values.scale = part(0);
    return {values, toLeast(part(1))};
  }
  Value table = b.table(parts, {IntegerGrids::kParts, numGrids});
  auto part = [&](int64_t number) { return b.extract(table, {b.index(number), gridRow(b, row)}); };
  IntegerGrid values = {part(0), part(1), part(2), part(3), nullptr, nullptr};
  if (!isSymmetric) {
    values.lowValue = part(4);
    values.highValue = part(5);
  }
  return {values, toLeast(values.lowCode)};
}

Values CodedState::startRange(LoopBuilder &b) const {
  return Values(isSymmetric ? 1 : 2, b.real(0.0f));
}

Values CodedState::widenRange(LoopBuilder &b, ValueRange range, Value number) const {
  if (isSymmetric)
    return {b.make<arith::MaximumFOp>(range[0], math::AbsFOp::create(b, number))};
  return {b.make<arith::MinimumFOp>(range[0], number), b.make<arith::MaximumFOp>(range[1], number)};
}

CodedState::Grid CodedState::fit(LoopBuilder &b, ValueRange range) const {
  IntegerGrids grids(b, format->getNumerics());
  IntegerGrid values =
      isSymmetric ? grids.fitSymmetric(range[0]) : grids.fitAsymmetric(range[0], range[1]);
  return {values, nullptr};
}

Value CodedState::store(LoopBuilder &b, const Grid &grid, Value grids, Value row) const {
  auto put = [&](Value value, int64_t column) {
    Value half = arith::TruncFOp::create(b, b.getF16Type(), value);
    grids = b.insert(half, grids, {gridRow(b, row), b.index(column)});
  };
  put(grid.values.scale, 0);
  put(grid.values.lowCode, 1);
  return grids;
}

Value CodedState::decode(LoopBuilder &b, const Grid &grid, Value stored) const {
  if (!format)
    return b.widen(stored);
  // The one number of steps from the least on that has these low bits.
  Value code = b.widenUnsigned(stored);
  int64_t mask = (int64_t(1) << type.getElementTypeBitWidth()) - 1;
  Value above = b.make<arith::AndIOp>(b.make<arith::SubIOp>(code, grid.least), b.integer(mask));
  Value steps = b.toReal(b.make<arith::AddIOp>(above, grid.least));
  return b.make<arith::MulFOp>(steps, grid.values.scale);
}

Value CodedState::encode(LoopBuilder &b, const Grid &grid, Value number) const {
  Type element = type.getElementType();
  if (!format)
    return element.isF32() ? number : Value(arith::TruncFOp::create(b, element, number));
  IntegerGrids grids(b, format->getNumerics());
  Value steps = arith::FPToSIOp::create(b, b.getI32Type(), grids.roundToSteps(number, grid.values));
  return arith::TruncIOp::create(b, element, steps);
}
