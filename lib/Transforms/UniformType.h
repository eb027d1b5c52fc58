//===- UniformType.h - Integers in upstream's quantized types ---*- C++ -*-===//

#ifndef SSMQ_LIB_TRANSFORMS_UNIFORMTYPE_H
#define SSMQ_LIB_TRANSFORMS_UNIFORMTYPE_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "ssmq/Formats/Encoding.h"
#include <vector>

namespace mlir::ssm {

/// Integers with what upstream's `quant.uniform` needs: value = (code - zero point) * scale.
struct UniformCodes {
  unsigned bits = 8;
  /// In the order of the tensor's elements; empty for a value that is not known beforehand.
  std::vector<int32_t> codes;
  /// One for all, or one a row, or one for each group of a row.
  std::vector<double> scales;
  std::vector<int64_t> zeroPoints;
  ::ssmq::Sharing::Kind sharing = ::ssmq::Sharing::PerTensor;
  int64_t groupSize = 0;
};

/// From the operands of an op that takes codes of 2 to 8 bits.
UniformCodes getUniformCodes(const ::ssmq::QuantizedTensor &quantized, unsigned bits);

/// From bytes; nullopt where upstream has no type: formats that are no integers, heads.
llvm::Expected<std::optional<UniformCodes>> getUniformCodes(const ::ssmq::Format &format,
                                                            const ::ssmq::EncodedTensor &encoded,
                                                            const ::ssmq::ValueLayout &layout);

/// The type of one element of a tensor of this shape, whose rows are along dimension 0; null when a
/// last group is shorter. A run of zeros, whose scale is 0, takes the scale 1.
quant::QuantizedType getUniformType(MLIRContext *context, const UniformCodes &codes,
                                    ArrayRef<int64_t> shape);

/// tensor<shape x i4>, ...
DenseElementsAttr getCodesAttribute(MLIRContext *context, const UniformCodes &codes,
                                    ArrayRef<int64_t> shape);

} // namespace mlir::ssm

#endif // SSMQ_LIB_TRANSFORMS_UNIFORMTYPE_H
