//===- FloatRange.h - Smallest and largest of real values -------*- C++ -*-===//

#ifndef SSMQ_LIB_FORMATS_FLOATRANGE_H
#define SSMQ_LIB_FORMATS_FLOATRANGE_H

#include "ssmq/Formats/Numerics.h"
#include <algorithm>
#include <cstring>

namespace ssmq {

/// As findFloatRange, for numerics that need only the largest magnitude: the range is symmetric.
inline RunRange findMagnitudeRange(llvm::ArrayRef<float> values) {
  uint32_t most = 0;
  for (const float &value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    most = std::max(most, bits & 0x7fffffffu);
  }
  RunRange range;
  std::memcpy(&range.high, &most, sizeof(most));
  range.low = -range.high;
  range.isFinite = most < 0x7f800000u;
  return range;
}

/// Fills in low, high and isFinite. Works on the bits as integers, whose reductions compilers
/// vectorise, as floats' they may not.
inline RunRange findFloatRange(llvm::ArrayRef<float> values) {
  // Integers in the order of the floats: negative ones have all bits but the sign turned.
  int32_t low = 0, high = 0;
  uint32_t most = 0;
  for (const float &value : values) {
    int32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    most = std::max(most, static_cast<uint32_t>(bits) & 0x7fffffffu);
    int32_t key = bits ^ ((bits >> 31) & 0x7fffffff);
    low = std::min(low, key);
    high = std::max(high, key);
  }
  low ^= (low >> 31) & 0x7fffffff;
  RunRange range;
  std::memcpy(&range.low, &low, sizeof(low));
  std::memcpy(&range.high, &high, sizeof(high));
  range.isFinite = most < 0x7f800000u;
  return range;
}

} // namespace ssmq

#endif // SSMQ_LIB_FORMATS_FLOATRANGE_H
