//===- DotProduct.cpp - Sums of products of bytes -------------------------===//

#include "DotProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DotKind;

DotProduct::DotProduct(KernelBuilder &k) : k(k), kind(k.target.dot) {
  int64_t most = kind == DotKind::AVX512VNNI || kind == DotKind::None ? 16 : 8;
  lanes = std::min(most, k.target.vectorWidth);
  // No instruction takes less than 128 bits.
  if (lanes < 4)
    kind = DotKind::None;
}

ByteRange DotProduct::getByteRange() const {
  return kind == DotKind::AVX512VNNI || kind == DotKind::AVXVNNI ? ByteRange::Unsigned
                                                                 : ByteRange::Signed;
}

Value DotProduct::call(StringRef name, Type type, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(k, type, k.getStringAttr(name), operands).getResults();
}

Value DotProduct::addGeneric(Value sums, Value weights, Value activations, ByteRange range) {
  auto type = cast<VectorType>(sums.getType());
  auto getByte = [&](Value words, int64_t byte, bool isSigned) -> Value {
    if (isSigned)
      return arith::ShRSIOp::create(
          k, arith::ShLIOp::create(k, words, k.integers(type, 24 - 8 * byte)).getResult(),
          k.integers(type, 24));
    Value moved = arith::ShRUIOp::create(k, words, k.integers(type, 8 * byte));
    return arith::AndIOp::create(k, moved, k.integers(type, 255));
  };
  Value w = vector::BitCastOp::create(k, type, weights);
  Value x = vector::BitCastOp::create(k, type, activations);
  for (int64_t byte = 0; byte < 4; ++byte) {
    Value product = arith::MulIOp::create(k, getByte(w, byte, range == ByteRange::Signed),
                                          getByte(x, byte, /*isSigned=*/true));
    sums = arith::AddIOp::create(k, sums, product);
  }
  return sums;
}

Value DotProduct::addInPairs(Value sums, ArrayRef<Value> weights, ArrayRef<Value> activations,
                             ByteRange range) {
  bool isWide = lanes == 8;
  auto words = VectorType::get({2 * lanes}, k.getI16Type());
  auto flush = [&](Value pairs) {
    Value quads = call(isWide ? "llvm.x86.avx2.pmadd.wd" : "llvm.x86.sse2.pmadd.wd", sums.getType(),
                       {pairs, k.integers(words, 1)});
    sums = arith::AddIOp::create(k, sums, quads);
  };
  // A pair of products of nibbles is at most 2 * 15 * 127, so that 8 of them fit i16.
  const int64_t most = range == ByteRange::Nibble ? 8 : 1;
  Value pairs;
  int64_t held = 0;
  for (auto [w, x] : llvm::zip_equal(weights, activations)) {
    Value left = w, right = x;
    if (range == ByteRange::Signed) {
      Value negated = arith::SubIOp::create(k, k.integers(cast<VectorType>(w.getType()), 0), w);
      left = arith::MaxSIOp::create(k, w, negated);
      right = call(isWide ? "llvm.x86.avx2.psign.b" : "llvm.x86.ssse3.psign.b.128", x.getType(),
                   {x, w});
    }
    Value products = call(isWide ? "llvm.x86.avx2.pmadd.ub.sw" : "llvm.x86.ssse3.pmadd.ub.sw.128",
                          words, {left, right});
    pairs = pairs ? arith::AddIOp::create(k, pairs, products).getResult() : products;
    if (++held == most) {
      flush(pairs);
      pairs = nullptr;
      held = 0;
    }
  }
  if (pairs)
    flush(pairs);
  return sums;
}

Value DotProduct::add(Value sums, ArrayRef<Value> weights, ArrayRef<Value> activations,
                      ByteRange range) {
  if (kind == DotKind::AVX2)
    return addInPairs(sums, weights, activations, range);
  StringRef busd = lanes == 16  ? "llvm.x86.avx512.vpdpbusd.512"
                   : lanes == 8 ? "llvm.x86.avx512.vpdpbusd.256"
                                : "llvm.x86.avx512.vpdpbusd.128";
  StringRef bssd = lanes == 8 ? "llvm.x86.avx2.vpdpbssd.256" : "llvm.x86.avx2.vpdpbssd.128";
  for (auto [w, x] : llvm::zip_equal(weights, activations))
    sums = kind == DotKind::None
               ? addGeneric(sums, w, x, range)
               : call(range == ByteRange::Signed ? bssd : busd, sums.getType(), {sums, w, x});
  return sums;
}
