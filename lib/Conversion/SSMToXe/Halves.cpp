//===- Halves.cpp - Numbers of f32 as blocks of f16 -----------------------===//

#include "Halves.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;

HalfScale ssm::fitHalves(XeBuilder &k, Value most) {
  // As exponents of f32: a number of 2^(e - 127) becomes one of 2^14.
  constexpr uint32_t top = 14, bias = 127, shift = 23;
  Value exponent = arith::AndIOp::create(k, most, k.i32(0x7f800000));
  exponent = arith::MaxSIOp::create(k, exponent, k.i32((top + 1) << shift));
  auto power = [&](Value bits) { return k.bitcast(bits, k.getF32Type()); };
  Value sum = k.i32(static_cast<int32_t>((2 * bias + top) << shift));
  return {power(arith::SubIOp::create(k, sum, exponent)),
          power(arith::SubIOp::create(k, exponent, k.i32(top << shift)))};
}

Value ssm::takeMost(XeBuilder &k, Value most, Value numbers) {
  for (int64_t i = 0; i < cast<VectorType>(numbers.getType()).getNumElements(); ++i) {
    Value bits = k.bitcast(vector::ExtractOp::create(k, numbers, i), k.getI32Type());
    Value magnitude = arith::AndIOp::create(k, bits, k.i32(0x7fffffff));
    most = arith::MaxSIOp::create(k, most, magnitude);
  }
  return most;
}

Value ssm::reduceMost(XeBuilder &k, Value most) {
  return k.reduceSubgroup(
      most, [&](Value a, Value b) -> Value { return arith::MaxSIOp::create(k, a, b); });
}

Value ssm::splat(XeBuilder &k, Value number, int64_t count) {
  return vector::BroadcastOp::create(k, VectorType::get({count}, number.getType()), number);
}

Value ssm::roundToHalves(XeBuilder &k, Value numbers) {
  auto type = cast<VectorType>(numbers.getType());
  return arith::TruncFOp::create(k, type.clone(k.getF16Type()), numbers);
}

Value ssm::roundToHalves(XeBuilder &k, Value numbers, Value factor) {
  int64_t count = cast<VectorType>(numbers.getType()).getNumElements();
  return roundToHalves(k, k.mulf(numbers, splat(k, factor, count)));
}

HalfBlocks::HalfBlocks(XeBuilder &k, ArrayRef<int64_t> shape)
    : k(k), halves(k.local(k.getF16Type(), shape)) {}

/// Words are what drivers read together however numbers lie.
static VectorType getWordType(XeBuilder &k, int64_t halves) {
  return VectorType::get({halves / 2}, k.getI32Type());
}

Value HalfBlocks::load(ValueRange indices, int64_t count) const {
  Value words = LLVM::LoadOp::create(k, getWordType(k, count), getAddress(indices),
                                     /*alignment=*/4);
  return vector::BitCastOp::create(k, VectorType::get({count}, k.getF16Type()), words);
}

void HalfBlocks::store(Value numbers, ValueRange indices) const {
  int64_t count = cast<VectorType>(numbers.getType()).getNumElements();
  Value words = vector::BitCastOp::create(k, getWordType(k, count), numbers);
  LLVM::StoreOp::create(k, words, getAddress(indices), /*alignment=*/4);
}
