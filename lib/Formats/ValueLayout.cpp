//===- ValueLayout.cpp - A value as formats see it ------------------------===//

#include "ssmq/Formats/ValueLayout.h"

#include "llvm/ADT/STLExtras.h"

using namespace ssmq;

llvm::StringRef ssmq::getName(SiteKind kind) {
  switch (kind) {
  case SiteKind::Weight: return "weight";
  case SiteKind::Norm: return "norm";
  case SiteKind::Activation: return "activation";
  case SiteKind::Parameter: return "parameter";
  case SiteKind::State: return "state";
  case SiteKind::Cache: return "cache";
  }
  return "";
}

std::optional<SiteKind> ssmq::parseSiteKind(llvm::StringRef name) {
  const auto *found =
      llvm::find_if(allSiteKinds, [&](SiteKind kind) { return getName(kind) == name; });
  if (found == std::end(allSiteKinds))
    return std::nullopt;
  return *found;
}
