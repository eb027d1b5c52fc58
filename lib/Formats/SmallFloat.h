//===- SmallFloat.h - Floats of 4 to 16 bits --------------------*- C++ -*-===//

#ifndef SSMQ_LIB_FORMATS_SMALLFLOAT_H
#define SSMQ_LIB_FORMATS_SMALLFLOAT_H

#include "llvm/ADT/ArrayRef.h"
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

} // namespace ssmq

#endif // SSMQ_LIB_FORMATS_SMALLFLOAT_H
