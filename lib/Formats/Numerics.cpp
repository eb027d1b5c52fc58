//===- Numerics.cpp - How values that share a scale are rounded -----------===//

#include "ssmq/Formats/Numerics.h"

#include "ssmq/Formats/Packing.h"
#include <algorithm>

namespace ssmq {

Numerics::~Numerics() = default;

int64_t Numerics::getRowBytes(int64_t columns) const {
  return getPackedRowBytes(columns / getValueSize(), getCodeBits());
}

void RunRange::merge(const RunRange &other) {
  low = std::min(low, other.low);
  high = std::max(high, other.high);
  leastMagnitude = std::min(leastMagnitude, other.leastMagnitude);
  mostMagnitude = std::max(mostMagnitude, other.mostMagnitude);
  hasZeros |= other.hasZeros;
  isFinite &= other.isFinite;
}

} // namespace ssmq
