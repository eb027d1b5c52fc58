//===- Conv.cpp - Causal depthwise convolution ----------------------------===//
//
// A work-item has a channel, whose last inputs stay in registers while the tokens pass: nothing
// else reads or writes its column of the state.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

/// A code of 4 bits, of which the even columns are in the low halves of bytes.
static Value loadNibble(XeBuilder &k, const Place &codes, Value channel, int64_t column) {
  Value byte = k.loadRaw(codes, {channel, k.index(0), k.index(column / 2)});
  Value word = arith::ExtSIOp::create(k, k.getI32Type(), byte);
  Value high = arith::ShLIOp::create(k, word, k.i32(column % 2 == 0 ? 28 : 24));
  Value code = arith::ShRSIOp::create(k, high, k.i32(28));
  return arith::SIToFPOp::create(k, k.getF32Type(), code);
}

static Value loadTap(LaunchScope &scope, CausalConv1dOp op, Value channel, int64_t column) {
  XeBuilder &k = scope.k;
  bool isNibble = op.getPackedBits() == 4;
  Value tap = isNibble ? loadNibble(k, *scope.getPlace(op.getWeight()), channel, column)
                       : scope.load(op.getWeight(), {channel, k.index(0), k.index(column)});
  if (!op.getScales())
    return tap;
  Value group = k.index(column / static_cast<int64_t>(*op.getGroupSize()));
  if (op.getZeroPoints())
    tap = k.subf(tap, scope.load(op.getZeroPoints(), {channel, group}));
  return k.mulf(tap, scope.load(op.getScales(), {channel, group}));
}

Grid ssm::getConvGrid(CausalConv1dOp op) {
  int64_t channels = cast<RankedTensorType>(op.getState().getType()).getDimSize(1);
  return {llvm::divideCeilSigned(channels, XeBuilder::kItems), 0};
}

static void convolveChannel(LaunchScope &scope, CausalConv1dOp op, Value channel) {
  XeBuilder &k = scope.k;
  int64_t history = cast<RankedTensorType>(op.getState().getType()).getDimSize(0);
  Values taps, window;
  for (int64_t column = 0; column <= history; ++column)
    taps.push_back(loadTap(scope, op, channel, column));
  Value bias = op.getBias() ? scope.load(op.getBias(), channel) : k.f32(0);
  for (int64_t row = 0; row < history; ++row)
    window.push_back(scope.load(op.getState(), {k.index(row), channel}));
  Type stored = cast<RankedTensorType>(op.getState().getType()).getElementType();
  window = k.loop(k.index(0), scope.countTokens(op.getInput()), k.index(1), window,
                  [&](Value t, ValueRange past) {
                    Values rows(past);
                    rows.push_back(scope.load(op.getInput(), {t, channel}));
                    Value y = bias;
                    for (auto [tap, row] : llvm::zip_equal(taps, rows))
                      y = k.fma(tap, row, y);
                    scope.store(op.getResult(), {t, channel}, y);
                    rows.back() = k.widen(k.narrow(rows.back(), stored));
                    rows.erase(rows.begin());
                    return rows;
                  });
  const Place *next = scope.getOutput(op.getNextState());
  if (!next)
    return;
  for (auto [row, value] : llvm::enumerate(window))
    k.store(value, *next, {k.index(row), channel});
}

void ssm::emitConv(LaunchScope &scope, CausalConv1dOp op, GroupIndex at) {
  XeBuilder &k = scope.k;
  int64_t channels = cast<RankedTensorType>(op.getState().getType()).getDimSize(1);
  Value channel = k.add(k.mul(at.group, XeBuilder::kItems), k.item);
  k.ifThen(k.isLess(channel, k.index(channels)), [&] { convolveChannel(scope, op, channel); });
}
