//===- RotaryEmitter.cpp - Rotary position embedding ----------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

using Values = KernelBuilder::Values;

/// theta^(-2i / rotaryDim), in the f32 arithmetic of transformers, as lib/Kernels/Rotary.cpp has
/// it.
static float getFrequency(float theta, int64_t i, int64_t rotaryDim) {
  float exponent = static_cast<float>(2 * i) / static_cast<float>(rotaryDim);
  return 1.0f / std::pow(theta, exponent);
}

void mlir::ssm::emit(KernelBuilder &k, RotaryOp::Adaptor op, ValueRange results) {
  Value input = op.getInput(), result = results.front();
  int64_t width = cast<MemRefType>(input.getType()).getDimSize(1);
  int64_t headDim = op.getHeadDim(), rotaryDim = op.getRotaryDim(), half = rotaryDim / 2;
  int64_t lanes = k.lanesFor(half);
  float theta = op.getTheta().convertToFloat();
  Value position = memref::LoadOp::create(k, op.getPosition(), ValueRange());

  k.loop(k.index(0), k.dim(input, 0), 1, [&](Value t) {
    Value at = arith::AddIOp::create(k, position,
                                     arith::IndexCastOp::create(k, k.getI32Type(), t).getResult());
    Value atF32 = arith::SIToFPOp::create(k, k.getF32Type(), at);
    for (int64_t start = 0; start < half; start += lanes) {
      int64_t count = std::min(lanes, half - start);
      SmallVector<float> frequencies;
      for (int64_t i = 0; i < count; ++i)
        frequencies.push_back(getFrequency(theta, start + i, rotaryDim));
      Value frequency = arith::ConstantOp::create(
          k, DenseElementsAttr::get(k.vectorType(count), ArrayRef<float>(frequencies)));
      Value angle = arith::MulFOp::create(k, k.splat(atF32, count), frequency);
      Value cos = math::CosOp::create(k, angle), sin = math::SinOp::create(k, angle);
      k.loop(k.index(0), k.index(width), headDim, [&](Value head) {
        Value lowColumn = k.add(head, start), highColumn = k.add(head, start + half);
        Value low = k.load(input, {t, lowColumn}, count);
        Value high = k.load(input, {t, highColumn}, count);
        auto multiply = [&](Value a, Value b) -> Value { return arith::MulFOp::create(k, a, b); };
        Value negated = arith::NegFOp::create(k, multiply(high, sin));
        k.store(k.fma(low, cos, negated), result, {t, lowColumn});
        k.store(k.fma(high, cos, multiply(low, sin)), result, {t, highColumn});
      });
    }
    if (rotaryDim < headDim)
      k.loop(k.index(0), k.index(width), headDim, [&](Value head) {
        k.overColumns(k.add(head, rotaryDim), headDim - rotaryDim, k.lanesFor(headDim - rotaryDim),
                      ValueRange(), [&](Value column, int64_t count, ValueRange) -> Values {
                        k.store(k.load(input, {t, column}, count), result, {t, column});
                        return {};
                      });
      });
  });
}
