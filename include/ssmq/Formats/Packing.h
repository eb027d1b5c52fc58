//===- Packing.h - Codes as they lie in files -------------------*- C++ -*-===//
//
// Each row is a little-endian stream of bits: code k takes bits [k b, (k + 1) b) in two's
// complement, low bits first, so that two 4-bit codes share a byte with the first in the low
// nibble. A row ends on a whole byte, its spare bits zero.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_PACKING_H
#define SSMQ_FORMATS_PACKING_H

#include "ssmq/Support/Tensor.h"

namespace ssmq {

/// Bytes of a packed row.
inline int64_t getPackedRowBytes(int64_t columns, unsigned bits) {
  return (columns * bits + 7) / 8;
}

/// i8 codes of any shape with leading rows -> i8 [rows, row bytes].
Tensor packCodes(const Tensor &codes, unsigned bits);

/// The inverse; `shape` is the shape of the weight.
Tensor unpackCodes(const Tensor &packed, llvm::ArrayRef<int64_t> shape, unsigned bits);

} // namespace ssmq

#endif // SSMQ_FORMATS_PACKING_H
