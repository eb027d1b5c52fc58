//===- SequenceRecord.h - What a sweep measures, one sequence at a time -*- C++ -*-===//
//
// A candidate is a (site, format); a record holds its divergence on one calibration sequence, or
// its local error there, from which divergences that were not measured are predicted
// (Prediction.h), or says that the candidate overflows there and is of no use. It is the unit of
// work, of resuming and of merging: a run is known by its identity, and records of equal identities
// may be mixed freely.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_SEQUENCERECORD_H
#define SSMQ_MEASURE_SEQUENCERECORD_H

#include "ssmq/Measure/Divergence.h"
#include "llvm/Support/JSON.h"
#include <optional>
#include <string>
#include <tuple>

namespace ssmq {

struct Candidate {
  std::string site;
  /// As Format::getSpelling gives it.
  std::string format;

  bool operator<(const Candidate &other) const {
    return std::tie(site, format) < std::tie(other.site, other.format);
  }
  bool operator==(const Candidate &other) const {
    return site == other.site && format == other.format;
  }
};

/// Records of this site are of a change that should not matter, named in the place of the format:
/// the noise floor.
inline constexpr llvm::StringLiteral noiseFloorSite = "noise-floor";
/// Changes that should not matter: how tokens are fed, and all weights in another 16-bit type.
inline constexpr llvm::StringLiteral halvesChange = "fed in two halves";
inline constexpr llvm::StringLiteral bfloatChange = "weights in bf16";

struct SequenceRecord {
  /// Counts from 0 in the calibration text.
  int64_t sequence = 0;
  Candidate candidate;
  /// Null in the record of a local error, and where the candidate cannot be used.
  std::optional<DivergenceSums> sums;
  /// Squared change of the results of the ops that use the site; null in that of a measurement.
  std::optional<double> localError = std::nullopt;
  /// Whether numbers are not finite on this sequence, or a format cannot hold them: a system whose
  /// rounded A grows, for one. Nothing else is then known of the candidate.
  bool isUnusable = false;

  bool operator==(const SequenceRecord &other) const {
    return sequence == other.sequence && candidate == other.candidate && sums == other.sums &&
           localError == other.localError && isUnusable == other.isUnusable;
  }
};

/// All that decides the numbers of a run.
struct RunIdentity {
  std::string model;
  /// Hash of the weights.
  std::string checkpoint;
  std::string calibration;
  /// Of the tokens, not of the text.
  std::string calibrationDigest;
  /// Version of the formats' numerics and of what else rounds.
  std::string formatSet;
  int64_t sequenceLength = 0;
  int64_t numSequences = 0;
  int64_t vocabSize = 0;
};

/// Fails with the first difference; `where` names the file that holds `found`.
llvm::Error checkSameRun(const RunIdentity &expected, const RunIdentity &found,
                         llvm::StringRef where);

llvm::json::Object toJSON(const RunIdentity &identity);
llvm::Expected<RunIdentity> parseRunIdentity(const llvm::json::Value &value, llvm::StringRef where);

llvm::json::Object toJSON(const SequenceRecord &record);
llvm::Expected<SequenceRecord> parseSequenceRecord(const llvm::json::Value &value,
                                                   llvm::StringRef where);

/// Finds what no measurement gives: negative KL, more equal tops than positions, not finite.
llvm::Error checkRecord(const SequenceRecord &record, llvm::StringRef where);

} // namespace ssmq

#endif // SSMQ_MEASURE_SEQUENCERECORD_H
