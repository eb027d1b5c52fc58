//===- ValueLayout.cpp - A value as formats see it ------------------------===//

#include "ssmq/Formats/ValueLayout.h"

#include "llvm/ADT/STLExtras.h"
#include <iterator>

using namespace llvm;

namespace ssmq {

static constexpr StringLiteral kNames[] = {"weight",    "norm",  "activation",
                                           "parameter", "state", "cache"};

StringRef getName(SiteKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<SiteKind> parseSiteKind(StringRef name) {
  const auto *found = find(kNames, name);
  if (found == std::end(kNames))
    return std::nullopt;
  return static_cast<SiteKind>(found - std::begin(kNames));
}

ValueLayout ValueLayout::ofWeight(ArrayRef<int64_t> shape) {
  ValueLayout layout{SiteKind::Weight, 1, 1, 0};
  if (!shape.empty())
    layout.rows = shape.front();
  for (int64_t dim : shape.drop_front(shape.empty() ? 0 : 1))
    layout.columns *= dim;
  return layout;
}

} // namespace ssmq
