//===- Sharing.h - Which values share a scale -------------------*- C++ -*-===//
//
// The values of a layout (row-major rows x columns) are cut into runs that share a scale:
//
//   sharing      rows are channels          rows are tokens, dynamic   rows are tokens, static
//   per_tensor   all values                 all values                 all values
//   per_channel  a row                      -                          a column of all tokens
//   per_head     headSize rows              headSize columns of a row  headSize columns
//   per_token    -                          a row                      -
//   group=N      N columns of a row         N columns of a row         N columns
//
// The last group of a row may be shorter.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_FORMATS_SHARING_H
#define SSMQ_FORMATS_SHARING_H

#include "ssmq/Formats/ValueLayout.h"
#include "llvm/Support/Error.h"
#include <string>

namespace ssmq {

struct Sharing {
  enum Kind : uint8_t { PerTensor, PerChannel, PerHead, PerToken, Group };
  Kind kind = PerChannel;
  /// Columns that share a scale; of Group only.
  int64_t groupSize = 0;

  /// "per_tensor", ..., "group=64".
  std::string getSpelling() const;
};

/// Values are cut into units of `unitSize`, and these into runs of `runSize` (the last of a unit
/// may be shorter). Scale `s` belongs to run s % getRunsPerUnit() of unit s / getRunsPerUnit(), or,
/// when units share scales, to run s of every unit.
struct Runs {
  int64_t numUnits = 0, unitSize = 0, runSize = 0;
  bool unitsShareScales = false;

  int64_t getRunsPerUnit() const { return runSize ? (unitSize + runSize - 1) / runSize : 0; }
  int64_t getNumScales() const { return (unitsShareScales ? 1 : numUnits) * getRunsPerUnit(); }
  bool operator==(const Runs &other) const;
};

/// Fails where the table above has none, and where heads do not divide the channels.
llvm::Expected<Runs> getRuns(const Sharing &sharing, const ValueLayout &layout, bool isStatic);

} // namespace ssmq

#endif // SSMQ_FORMATS_SHARING_H
