//===- DotProduct.h - Sums of products of bytes -----------------*- C++ -*-===//
//
// Lane i of a sum takes the products of bytes 4 i to 4 i + 3 of a weight and of an activation, by
// the instructions that the target has:
//   avx512_vnni, avx_vnni   vpdpbusd: unsigned by signed bytes
//   avx_vnni_int8           vpdpbssd for signed by signed ones
//   avx2                    vpmaddubsw and vpmaddwd, whose pairs of products saturate in i16:
//                           nibbles stay far below, and signed bytes go in as magnitudes with their
//                           signs moved to the activations, whose codes are never -128
//   none                    shifts and multiplications of i32
// Sums wrap around in i32 and never saturate.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_DOTPRODUCT_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_DOTPRODUCT_H

#include "KernelBuilder.h"

namespace mlir::ssm {

/// What weights can be: 0 to 15, -128 to 127, or that plus 128.
enum class ByteRange : uint8_t { Nibble, Signed, Unsigned };

class DotProduct {
public:
  explicit DotProduct(KernelBuilder &k);

  /// i32 lanes of sums, at most 16.
  int64_t getLanes() const { return lanes; }
  /// How codes of 8 bits are multiplied best.
  ByteRange getByteRange() const;
  /// `sums` and the products of all pairs of weights and activations (lanes x 4 bytes each).
  Value add(Value sums, ArrayRef<Value> weights, ArrayRef<Value> activations, ByteRange range);

private:
  Value call(StringRef name, Type type, ValueRange operands);
  Value addGeneric(Value sums, Value weights, Value activations, ByteRange range);
  Value addInPairs(Value sums, ArrayRef<Value> weights, ArrayRef<Value> activations,
                   ByteRange range);

  KernelBuilder &k;
  ::ssmq::DotKind kind;
  int64_t lanes;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_DOTPRODUCT_H
