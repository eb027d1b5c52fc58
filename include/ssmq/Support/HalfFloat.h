//===- HalfFloat.h - f16 and bf16 conversion --------------------*- C++ -*-===//
//
// IEEE 754 binary16 and bfloat16 as raw 16-bit words; rounding is to nearest, ties to even.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_HALFFLOAT_H
#define SSMQ_SUPPORT_HALFFLOAT_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <cstring>

namespace ssmq {

inline float halfToFloat(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, sizeof(half));
  return static_cast<float>(half);
}

inline uint16_t floatToHalf(float value) {
  auto half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof(bits));
  return bits;
}

inline float bfloatToFloat(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

inline uint16_t floatToBFloat(float value) {
  uint32_t wide;
  std::memcpy(&wide, &value, sizeof(wide));
  if ((wide & 0x7fffffff) > 0x7f800000)
    return static_cast<uint16_t>((wide >> 16) | 0x40); // a quiet NaN stays a NaN
  return static_cast<uint16_t>((wide + 0x7fff + ((wide >> 16) & 1)) >> 16);
}

inline void convertHalfToFloat(llvm::ArrayRef<uint16_t> from, float *to) {
  for (uint16_t bits : from)
    *to++ = halfToFloat(bits);
}

inline void convertBFloatToFloat(llvm::ArrayRef<uint16_t> from, float *to) {
  for (uint16_t bits : from)
    *to++ = bfloatToFloat(bits);
}

} // namespace ssmq

#endif // SSMQ_SUPPORT_HALFFLOAT_H
