//===- Packing.cpp - Codes as they lie in files ---------------------------===//

#include "ssmq/Formats/Packing.h"

using namespace llvm;

namespace ssmq {

static int64_t getRowColumns(ArrayRef<int64_t> shape) {
  int64_t columns = 1;
  for (int64_t dim : shape.drop_front())
    columns *= dim;
  return columns;
}

Tensor packCodes(const Tensor &codes, unsigned bits) {
  int64_t rows = codes.getDim(0), columns = getRowColumns(codes.getShape());
  int64_t rowBytes = getPackedRowBytes(columns, bits);
  Tensor packed = Tensor::zeros(DType::I8, {rows, rowBytes});
  const int8_t *from = codes.data<int8_t>().data();
  auto *to = static_cast<uint8_t *>(packed.getMutableRawData());
  for (int64_t row = 0; row < rows; ++row, from += columns, to += rowBytes) {
    for (int64_t k = 0; k < columns; ++k) {
      unsigned code = static_cast<uint8_t>(from[k]) & ((1u << bits) - 1);
      unsigned shifted = code << (k * bits % 8);
      int64_t byte = k * bits / 8;
      to[byte] |= static_cast<uint8_t>(shifted);
      if (shifted >> 8)
        to[byte + 1] |= static_cast<uint8_t>(shifted >> 8);
    }
  }
  return packed;
}

Tensor unpackCodes(const Tensor &packed, ArrayRef<int64_t> shape, unsigned bits) {
  int64_t rows = shape[0], columns = getRowColumns(shape);
  int64_t rowBytes = getPackedRowBytes(columns, bits);
  Tensor codes = Tensor::empty(DType::I8, shape);
  const auto *from = static_cast<const uint8_t *>(packed.getRawData());
  int8_t *to = codes.mutableData<int8_t>().data();
  for (int64_t row = 0; row < rows; ++row, from += rowBytes, to += columns) {
    for (int64_t k = 0; k < columns; ++k) {
      int64_t byte = k * bits / 8;
      unsigned shift = k * bits % 8;
      unsigned window = from[byte] | (shift + bits > 8 ? from[byte + 1] << 8 : 0);
      // Move the sign bit of the code to the sign of the byte and back.
      auto top = static_cast<int8_t>((window >> shift) << (8 - bits));
      to[k] = static_cast<int8_t>(top >> (8 - bits));
    }
  }
  return codes;
}

} // namespace ssmq
