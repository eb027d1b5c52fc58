//===- Rotary.cpp - Rotary position embedding -----------------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

/// theta^(-2i / rotaryDim), in the f32 arithmetic of transformers, as lib/Kernels/Rotary.cpp has
/// it.
static SmallVector<float> getFrequencies(float theta, int64_t rotaryDim) {
  SmallVector<float> frequencies;
  for (int64_t i = 0; i < rotaryDim / 2; ++i) {
    float exponent = static_cast<float>(2 * i) / static_cast<float>(rotaryDim);
    frequencies.push_back(1.0f / std::pow(theta, exponent));
  }
  return frequencies;
}

void ssm::emitRotary(LaunchScope &scope, RotaryOp op, Value token) {
  XeBuilder &k = scope.k;
  int64_t width = cast<RankedTensorType>(op.getInput().getType()).getDimSize(1);
  int64_t headDim = op.getHeadDim(), rotaryDim = op.getRotaryDim(), half = rotaryDim / 2;
  int64_t heads = width / headDim, passing = headDim - rotaryDim;
  Value row = arith::IndexCastOp::create(k, k.getI32Type(), token);
  Value position = arith::AddIOp::create(k, scope.load(op.getPosition(), ValueRange()), row);
  Value at = arith::SIToFPOp::create(k, k.getF32Type(), position);
  if (half > 0) {
    Place frequencies = k.constants(getFrequencies(op.getTheta().convertToFloat(), rotaryDim));
    k.overColumns(heads * half, [&](Value pair) {
      Value i = k.rem(pair, half), angle = k.mulf(at, k.load(frequencies, i));
      Value cos = math::CosOp::create(k, angle), sin = math::SinOp::create(k, angle);
      Value lowColumn = k.add(k.mul(k.floorDiv(pair, half), headDim), i);
      Value highColumn = k.add(lowColumn, half);
      Value low = scope.load(op.getInput(), {token, lowColumn});
      Value high = scope.load(op.getInput(), {token, highColumn});
      Value negated = arith::NegFOp::create(k, k.mulf(high, sin));
      scope.store(op.getResult(), {token, lowColumn}, k.fma(low, cos, negated));
      scope.store(op.getResult(), {token, highColumn}, k.fma(high, cos, k.mulf(low, sin)));
    });
  }
  if (passing > 0)
    k.overColumns(heads * passing, [&](Value i) {
      Value column = k.add(k.mul(k.floorDiv(i, passing), headDim), k.rem(i, passing));
      column = k.add(column, rotaryDim);
      scope.store(op.getResult(), {token, column}, scope.load(op.getInput(), {token, column}));
    });
}
