//===- ScaleTypes.h - Scales in 16 bits -------------------------*- C++ -*-===//

#ifndef SSMQ_LIB_FORMATS_SCALETYPES_H
#define SSMQ_LIB_FORMATS_SCALETYPES_H

#include "ssmq/Support/HalfFloat.h"

namespace ssmq {

/// The smallest f16 that is not below `value` >= 0; infinity past the largest.
inline float roundUpToHalf(float value) {
  uint16_t bits = floatToHalf(value);
  return halfToFloat(halfToFloat(bits) < value ? bits + 1 : bits);
}

/// The smallest bf16 that is not below `value` >= 0; infinity past the largest.
inline float roundUpToBFloat(float value) {
  uint16_t bits = floatToBFloat(value);
  return bfloatToFloat(bfloatToFloat(bits) < value ? bits + 1 : bits);
}

} // namespace ssmq

#endif // SSMQ_LIB_FORMATS_SCALETYPES_H
