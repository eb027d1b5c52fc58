//===- ConvEmitter.cpp - Causal depthwise convolution ---------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = KernelBuilder::Values;

/// The same number for each of `lanes` channels as vectors, one a column of a matrix of
/// channels x columns seen as one row: channels side by side although memory has them apart. Floats
/// come in f32.
static Values loadColumns(KernelBuilder &k, Value flat, Value channel, int64_t lanes,
                          int64_t columns) {
  Value block = k.loadRaw(flat, k.mul(channel, columns), lanes * columns);
  // Widened first: LLVM's x86 back end aborts on some shuffles of bf16.
  if (isa<FloatType>(cast<VectorType>(block.getType()).getElementType()))
    block = k.widen(block);
  Values result;
  for (int64_t column = 0; column < columns; ++column) {
    SmallVector<int64_t> mask;
    for (int64_t lane = 0; lane < lanes; ++lane)
      mask.push_back(lane * columns + column);
    result.push_back(k.shuffle(block, block, mask));
  }
  return result;
}

/// A contiguous buffer as one row.
static Value flatten(KernelBuilder &k, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  ReassociationIndices all;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    all.push_back(dim);
  return memref::CollapseShapeOp::create(k, buffer, ArrayRef<ReassociationIndices>{all});
}

/// The taps of `lanes` channels in f32, one vector a tap.
static Values loadTaps(KernelBuilder &k, CausalConv1dOp::Adaptor op, Value channel, int64_t lanes,
                       int64_t taps) {
  int64_t stored = cast<MemRefType>(op.getWeight().getType()).getDimSize(2);
  Values columns = loadColumns(k, flatten(k, op.getWeight()), channel, lanes, stored), result;
  if (!op.getScales())
    return columns;
  int64_t groups = cast<MemRefType>(op.getScales().getType()).getDimSize(1);
  Values scales = loadColumns(k, flatten(k, op.getScales()), channel, lanes, groups), zeroPoints;
  if (op.getZeroPoints())
    zeroPoints = loadColumns(k, flatten(k, op.getZeroPoints()), channel, lanes, groups);
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t group = tap / static_cast<int64_t>(*op.getGroupSize());
    Value code = columns[*op.getPackedBits() == 4 ? tap / 2 : tap];
    if (*op.getPackedBits() == 4) {
      auto four =
          arith::ConstantOp::create(k, DenseElementsAttr::get(cast<VectorType>(code.getType()),
                                                              k.getI8IntegerAttr(4).getValue()));
      if (tap % 2 == 0)
        code = arith::ShLIOp::create(k, code, four);
      code = arith::ShRSIOp::create(k, code, four);
    }
    code = k.widen(code);
    if (op.getZeroPoints())
      code = arith::SubFOp::create(k, code, k.widen(zeroPoints[group]));
    result.push_back(arith::MulFOp::create(k, code, scales[group]));
  }
  return result;
}

// The last inputs of a block of channels stay in registers while the tokens pass, so that any
// number of tokens, fewer than taps included, takes the same way.
void mlir::ssm::emit(KernelBuilder &k, CausalConv1dOp::Adaptor op, ValueRange results) {
  Value input = op.getInput(), state = op.getState(), result = results.front();
  auto stateType = cast<MemRefType>(state.getType());
  int64_t history = stateType.getDimSize(0), channels = stateType.getDimSize(1);
  Type stored = stateType.getElementType();
  Value tokens = k.dim(input, 0);
  auto block = [&](Value channel, int64_t lanes) {
    Values taps = loadTaps(k, op, channel, lanes, history + 1), window;
    Value bias = op.getBias() ? k.load(op.getBias(), channel, lanes) : k.zeros(lanes);
    for (int64_t row = 0; row < history; ++row)
      window.push_back(k.load(state, {k.index(row), channel}, lanes));
    window = k.loop(k.index(0), tokens, 1, window, [&](Value t, ValueRange past) {
      Values rows(past);
      rows.push_back(k.load(input, {t, channel}, lanes));
      Value y = bias;
      for (auto [tap, row] : llvm::zip_equal(taps, rows))
        y = k.fma(tap, row, y);
      k.store(y, result, {t, channel});
      rows.back() = k.widen(k.narrow(rows.back(), stored));
      rows.erase(rows.begin());
      return rows;
    });
    for (auto [row, vector] : llvm::enumerate(window))
      k.store(k.narrow(vector, stored), state, {k.index(row), channel});
  };
  int64_t lanes = k.lanesFor(channels), whole = channels / lanes;
  k.parallel(k.index(whole), k.mul(tokens, channels * (history + 1)),
             [&](Value i) { block(k.mul(i, lanes), lanes); });
  if (int64_t rest = channels - whole * lanes)
    block(k.index(whole * lanes), rest);
}
