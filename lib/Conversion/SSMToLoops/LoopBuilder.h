//===- LoopBuilder.h - Loops over numbers in tensors ------------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOLOOPS_LOOPBUILDER_H
#define SSMQ_LIB_CONVERSION_SSMTOLOOPS_LOOPBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::ssm {

class LoopBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Values = SmallVector<Value>;

  Value index(int64_t value) { return arith::ConstantIndexOp::create(*this, getLoc(), value); }
  Value integer(int64_t value) {
    return arith::ConstantOp::create(*this, getI32IntegerAttr(static_cast<int32_t>(value)));
  }
  Value real(float value) { return arith::ConstantOp::create(*this, getF32FloatAttr(value)); }
  template <typename OpTy>
  Value make(Value lhs, Value rhs) {
    return createOrFold<OpTy>(lhs, rhs);
  }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(*this, a, b, c); }
  Value select(Value condition, Value then, Value otherwise) {
    return arith::SelectOp::create(*this, condition, then, otherwise);
  }

  Value extract(Value tensor, ValueRange place) {
    return tensor::ExtractOp::create(*this, tensor, place);
  }
  Value insert(Value value, Value tensor, ValueRange place) {
    return tensor::InsertOp::create(*this, value, tensor, place);
  }
  /// A number of f32, f16 or bf16 as f32.
  Value widen(Value value) {
    return value.getType().isF32() ? value
                                   : Value(arith::ExtFOp::create(*this, getF32Type(), value));
  }
  /// A byte as i32, with or without its sign.
  Value widenSigned(Value value) { return arith::ExtSIOp::create(*this, getI32Type(), value); }
  Value widenUnsigned(Value value) { return arith::ExtUIOp::create(*this, getI32Type(), value); }
  Value toReal(Value integer) { return arith::SIToFPOp::create(*this, getF32Type(), integer); }
  Value table(ArrayRef<float> numbers, ArrayRef<int64_t> shape) {
    return arith::ConstantOp::create(
        *this, DenseElementsAttr::get(RankedTensorType::get(shape, getF32Type()), numbers));
  }

  /// for (i = 0; i < count; ++i) values = body(i, values); gives the last values.
  Values loop(int64_t count, ValueRange inits, function_ref<Values(Value, ValueRange)> body) {
    if (count == 1)
      return body(index(0), inits);
    auto loop = scf::ForOp::create(*this, index(0), index(count), index(1), inits,
                                   [](OpBuilder &, Location, Value, ValueRange) {});
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(*this, body(loop.getInductionVar(), loop.getRegionIterArgs()));
    return Values(loop.getResults());
  }
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOLOOPS_LOOPBUILDER_H
