//===- ValueLayout.h - A value as formats see it ----------------*- C++ -*-===//
//
// Formats see every value as a row-major matrix of rows x columns. What a row is depends on the
// kind of its site: of an activation and a cache a row is a token and its columns are channels; of
// everything else a row is an (output) channel and its columns are the rest.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_VALUELAYOUT_H
#define SSMQ_FORMATS_VALUELAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace ssmq {

enum class SiteKind : uint8_t { Weight, Norm, Activation, Parameter, State, Cache };

inline constexpr SiteKind allSiteKinds[] = {SiteKind::Weight,     SiteKind::Norm,
                                            SiteKind::Activation, SiteKind::Parameter,
                                            SiteKind::State,      SiteKind::Cache};

/// "weight", "norm", "activation", "parameter", "state", "cache".
llvm::StringRef getName(SiteKind kind);
std::optional<SiteKind> parseSiteKind(llvm::StringRef name);

struct ValueLayout {
  SiteKind kind = SiteKind::Weight;
  int64_t rows = 0, columns = 0;
  /// Channels that a head has; 0 where there are no heads.
  int64_t headSize = 0;

  /// A weight whose leading dimension counts its rows; a scalar is one row of one column.
  static ValueLayout ofWeight(llvm::ArrayRef<int64_t> shape);

  bool rowsAreTokens() const { return kind == SiteKind::Activation || kind == SiteKind::Cache; }
  int64_t getNumElements() const { return rows * columns; }
};

} // namespace ssmq

#endif // SSMQ_FORMATS_VALUELAYOUT_H
