//===- Encoding.h - Values in codes of any format ---------------*- C++ -*-===//
//
// Every format has codes: a little-endian stream of bits a row, as in Packing.h, of
// Numerics::getCodeBits() bits a value, and beside them what each run has: scale, zero point, ends
// of a range (docs/Formats.md). Together they take Format::getNumBytes bytes, and decode to what
// Format::round gives, bit for bit.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_ENCODING_H
#define SSMQ_FORMATS_ENCODING_H

#include "ssmq/Formats/Format.h"

namespace ssmq {

struct EncodedTensor {
  /// i8 [rows, bytes of a row].
  Tensor codes;
  /// i8 [scales, bytes of a scale]; null where runs have nothing beside their codes.
  Tensor scales;
};

struct EncodedShape {
  int64_t rows = 0, rowBytes = 0, numScales = 0, scaleBytes = 0;

  bool hasScales() const { return scaleBytes != 0; }
};

/// Fails when the format cannot hold the layout, and for static formats, whose ranges are not part
/// of the codes.
llvm::Expected<EncodedShape> getEncodedShape(const Format &format, const ValueLayout &layout);

/// `value` (f32, f16, bf16) has as many elements as the layout. Fails as Format::round does.
llvm::Expected<EncodedTensor> encode(const Format &format, const Tensor &value,
                                     const ValueLayout &layout, unsigned threads = 1);

/// f32 [rows, columns]; fails when codes or scales have other shapes than the layout needs.
llvm::Expected<Tensor> decode(const Format &format, const EncodedTensor &encoded,
                              const ValueLayout &layout, unsigned threads = 1);

} // namespace ssmq

#endif // SSMQ_FORMATS_ENCODING_H
