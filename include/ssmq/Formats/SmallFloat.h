//===- SmallFloat.h - Floats of 4 to 16 bits --------------------*- C++ -*-===//

#ifndef SSMQ_FORMATS_SMALLFLOAT_H
#define SSMQ_FORMATS_SMALLFLOAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace ssmq {

struct SmallFloat {
  float most, leastNormal;
  /// 2^(23 - mantissa bits): bits of an f32 that the type does not have.
  float shift;
};

/// IEEE 754 binary16, OCP 8-bit floating point (E4M3 has no infinities) and OCP MX v1.0 E2M1.
inline constexpr SmallFloat kHalf{65504, 0x1p-14f, 0x1p13f};
inline constexpr SmallFloat kE4M3{448, 0x1p-6f, 0x1p20f};
inline constexpr SmallFloat kE5M2{57344, 0x1p-14f, 0x1p21f};
inline constexpr SmallFloat kE2M1{6, 1, 0x1p22f};

/// The nearest value of the type, ties to even, what is too large becoming the largest.
inline float roundToSmallFloat(float x, SmallFloat type) {
  float magnitude = std::min(std::abs(x), type.most);
  uint32_t bits;
  std::memcpy(&bits, &magnitude, sizeof(bits));
  bits &= 0x7f800000u;
  float binade; // the power of two at or below the magnitude
  std::memcpy(&binade, &bits, sizeof(binade));
  binade = std::max(binade, type.leastNormal);
  // At the sum's own exponent a float's last bit is the last bit of the type.
  float shift = binade * type.shift;
  return std::copysign((magnitude + shift) - shift, x);
}

/// round(value / scale) * scale; a scale of 0 makes zeros.
inline void roundScaled(llvm::MutableArrayRef<float> values, float scale, SmallFloat type) {
  const float divisor = scale ? scale : 1;
  for (float &value : values)
    value = roundToSmallFloat(value / divisor, type) * scale;
}

inline unsigned getMantissaBits(SmallFloat type) { return 23 - std::ilogb(type.shift); }

/// What the exponent field of an f32 has more than that of the type, above the mantissa.
inline uint32_t getExponentOffset(SmallFloat type) {
  uint32_t least;
  std::memcpy(&least, &type.leastNormal, sizeof(least));
  return ((least >> 23) - 1) << getMantissaBits(type);
}

/// The pattern of a value of the type: sign (bit `bits` - 1), exponent, mantissa.
inline uint32_t toSmallFloatBits(float value, SmallFloat type, unsigned bits) {
  float magnitude = std::abs(value);
  uint32_t word, mantissaBits = getMantissaBits(type);
  std::memcpy(&word, &magnitude, sizeof(word));
  uint32_t pattern = (word >> (23 - mantissaBits)) - getExponentOffset(type);
  if (magnitude < type.leastNormal)
    pattern = static_cast<uint32_t>(magnitude / type.leastNormal * (1u << mantissaBits));
  return pattern | (std::signbit(value) ? 1u << (bits - 1) : 0);
}

inline float fromSmallFloatBits(uint32_t pattern, SmallFloat type, unsigned bits) {
  uint32_t mantissaBits = getMantissaBits(type), sign = 1u << (bits - 1);
  uint32_t rest = pattern & (sign - 1), word = (rest + getExponentOffset(type))
                                               << (23 - mantissaBits);
  float magnitude;
  std::memcpy(&magnitude, &word, sizeof(magnitude));
  if (rest < 1u << mantissaBits)
    magnitude =
        static_cast<float>(rest) / static_cast<float>(1u << mantissaBits) * type.leastNormal;
  return pattern & sign ? -magnitude : magnitude;
}

/// Bits of value / scale, and back.
inline void encodeScaled(llvm::ArrayRef<float> values, float scale, SmallFloat type, unsigned bits,
                         llvm::MutableArrayRef<uint32_t> codes) {
  const float divisor = scale ? scale : 1;
  for (auto [value, code] : llvm::zip_equal(values, codes))
    code = toSmallFloatBits(roundToSmallFloat(value / divisor, type), type, bits);
}
inline void decodeScaled(llvm::ArrayRef<uint32_t> codes, float scale, SmallFloat type,
                         unsigned bits, llvm::MutableArrayRef<float> values) {
  for (auto [code, value] : llvm::zip_equal(codes, values))
    value = fromSmallFloatBits(code, type, bits) * scale;
}

} // namespace ssmq

#endif // SSMQ_FORMATS_SMALLFLOAT_H
