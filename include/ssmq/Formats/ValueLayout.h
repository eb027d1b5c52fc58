//===- ValueLayout.h - A value as formats see it ----------------*- C++ -*-===//
//
// Formats see every value as a row-major matrix. A row of an activation or a cache is a token and
// its columns are channels; a row of anything else is a channel, and its columns are what the
// channel holds: the inputs of a weight, the states of a channel.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_VALUELAYOUT_H
#define SSMQ_FORMATS_VALUELAYOUT_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace ssmq {

enum class SiteKind : uint8_t { Weight, Norm, Activation, Parameter, State, Cache };

inline constexpr SiteKind allSiteKinds[] = {SiteKind::Weight,     SiteKind::Norm,
                                            SiteKind::Activation, SiteKind::Parameter,
                                            SiteKind::State,      SiteKind::Cache};

/// "weight", "norm", "activation", ...
llvm::StringRef getName(SiteKind kind);
std::optional<SiteKind> parseSiteKind(llvm::StringRef name);

struct ValueLayout {
  SiteKind kind = SiteKind::Weight;
  int64_t rows = 0, columns = 0;
  /// Channels that a head has; 0 where there are no heads.
  int64_t headSize = 0;

  bool rowsAreTokens() const { return kind == SiteKind::Activation || kind == SiteKind::Cache; }
};

} // namespace ssmq

#endif // SSMQ_FORMATS_VALUELAYOUT_H
