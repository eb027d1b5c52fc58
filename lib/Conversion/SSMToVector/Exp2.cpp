//===- Exp2.cpp - Powers of two for decays --------------------------------===//

#include "Exp2.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

Value mlir::ssm::emitExp2(KernelBuilder &k, Value x) {
  auto type = cast<VectorType>(x.getType());
  VectorType words = type.clone(k.getI32Type());
  auto real = [&](float value) -> Value {
    return arith::ConstantOp::create(k, SplatElementsAttr::get(type, k.getF32FloatAttr(value)));
  };
  // Ordered comparisons are false for NaN, which passes.
  for (auto [bound, predicate] : {std::pair(-126.0f, arith::CmpFPredicate::OLT),
                                  std::pair(127.0f, arith::CmpFPredicate::OGT)}) {
    Value outside = arith::CmpFOp::create(k, predicate, x, real(bound));
    x = arith::SelectOp::create(k, outside, real(bound), x);
  }
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits, all of the other bits
  // being shifted out below.
  Value magic = real(12582912.0f);
  Value shifted = arith::AddFOp::create(k, x, magic);
  Value n = arith::SubFOp::create(k, shifted, magic);
  Value f = arith::SubFOp::create(k, x, n);
  // Minimax of the relative error over [-1/2, 1/2] with 1 at 0: 9.1e-8.
  Value p = real(1.326472614891827e-3f);
  for (float coefficient : {9.671512991189957e-3f, 5.550733581185341e-2f, 2.4022242426872253e-1f,
                            6.931470036506653e-1f, 1.0f})
    p = k.fma(p, f, real(coefficient));
  Value exponent = arith::ShLIOp::create(
      k, arith::BitcastOp::create(k, words, shifted).getResult(),
      arith::ConstantOp::create(k, SplatElementsAttr::get(words, k.getI32IntegerAttr(23)))
          .getResult());
  Value bits = arith::BitcastOp::create(k, words, p);
  return arith::BitcastOp::create(k, type, arith::AddIOp::create(k, bits, exponent).getResult());
}
