//===- Sharing.cpp - Which values share a scale ---------------------------===//

#include "ssmq/Formats/Sharing.h"

#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace llvm;

namespace ssmq {

std::string Sharing::getSpelling() const {
  switch (kind) {
  case PerTensor: return "per_tensor";
  case PerChannel: return "per_channel";
  case PerHead: return "per_head";
  case PerToken: return "per_token";
  case Group: break;
  }
  return formatv("group={0}", groupSize);
}

bool Runs::operator==(const Runs &other) const {
  return numUnits == other.numUnits && unitSize == other.unitSize && runSize == other.runSize &&
         unitsShareScales == other.unitsShareScales;
}

/// One unit of all values, cut into runs.
static Runs cutWhole(const ValueLayout &layout, int64_t runSize) {
  int64_t all = layout.getNumElements();
  return {all ? 1 : 0, all, std::min(runSize, all), false};
}

/// A unit a row.
static Runs cutRows(const ValueLayout &layout, int64_t runSize, bool shared) {
  return {layout.rows, layout.columns, std::min(runSize, layout.columns), shared};
}

static Error checkHeads(const ValueLayout &layout) {
  int64_t channels = layout.rowsAreTokens() ? layout.columns : layout.rows;
  if (layout.headSize <= 0)
    return createStringError(formatv("per_head needs heads, which this {0} does not have; use "
                                     "per_channel or a group",
                                     getName(layout.kind)));
  if (channels % layout.headSize)
    return createStringError(formatv("per_head needs whole heads, but {0} channels are not a "
                                     "multiple of the head size {1}",
                                     channels, layout.headSize));
  return Error::success();
}

Expected<Runs> getRuns(const Sharing &sharing, const ValueLayout &layout, bool isStatic) {
  bool tokens = layout.rowsAreTokens(), shared = tokens && isStatic;
  switch (sharing.kind) {
  case Sharing::PerTensor:
    return shared ? cutRows(layout, layout.columns, shared)
                  : cutWhole(layout, layout.getNumElements());
  case Sharing::PerChannel:
    if (tokens && !isStatic)
      return createStringError(
          formatv("per_channel over tokens needs ranges known beforehand; write static=P behind "
                  "it, or use per_token or a group for this {0}",
                  getName(layout.kind)));
    return cutRows(layout, shared ? 1 : layout.columns, shared);
  case Sharing::PerHead:
    if (Error error = checkHeads(layout))
      return std::move(error);
    return tokens ? cutRows(layout, layout.headSize, shared)
                  : cutWhole(layout, layout.headSize * layout.columns);
  case Sharing::PerToken:
    if (!tokens)
      return createStringError(formatv("per_token needs rows that are tokens (activations and "
                                       "caches), but this is a {0}; use per_channel",
                                       getName(layout.kind)));
    if (isStatic)
      return createStringError("per_token is dynamic and cannot be static; use per_tensor, "
                               "per_channel, per_head or a group");
    return cutRows(layout, layout.columns, shared);
  case Sharing::Group: break;
  }
  return cutRows(layout, sharing.groupSize, shared);
}

} // namespace ssmq
