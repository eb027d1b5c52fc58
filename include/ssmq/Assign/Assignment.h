//===- Assignment.h - One format a site -------------------------*- C++ -*-===//
//
// The document is JSON: {"document": "ssmq-assignment", "version": 1, "model", "checkpoint",
// "method", "report": {...}, "sites": [{"site", "format", "bounds"}]}. People may write it by hand;
// of `report`, which is for readers, only the KL is read back. A site with a static format may have
// `bounds`: low and high of each scale, around zero, in the order of Runs; without them calibration
// finds its ranges.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_ASSIGNMENT_H
#define SSMQ_ASSIGN_ASSIGNMENT_H

#include "ssmq/Assign/Choices.h"
#include <limits>

namespace ssmq {

/// A mix that was measured on the way to an assignment.
struct MixTrial {
  std::string name;
  /// 0 before anything was solved again.
  unsigned round = 0;
  int64_t totalBytes = 0;
  double bitsPerWeight = 0, predictedKL = 0;
  Estimate measuredKL;
  /// KL less that of the assignment, by sequences.
  Estimate moreThanChosen;
};

struct AssignmentReport {
  /// Of the whole model; 0 where the table does not say.
  int64_t totalBytes = 0;
  double bitsPerWeight = 0;
  /// Summed over sites.
  double predictedKL = 0;
  /// No assignment within the budget predicts less; NaN where it is not known.
  double lowerBoundKL = 0;
  /// Sites that could not have what was asked for.
  int64_t numFallbacks = 0;
  /// With states, caches and the largest activation; 0 where the table does not say.
  int64_t memoryBytes = 0;
  /// Of a token; NaN without a cost table.
  double decodeNanoseconds = std::numeric_limits<double>::quiet_NaN();
  double prefillNanoseconds = std::numeric_limits<double>::quiet_NaN();
  /// Of the whole mix on calibration sequences; NaN where it was not measured.
  double measuredKL = std::numeric_limits<double>::quiet_NaN();
  double measuredKLError = std::numeric_limits<double>::quiet_NaN();
  std::vector<MixTrial> trials = {};
  /// Why it is not what was solved for; empty when it is.
  std::string note = {};
};

struct SiteFormat {
  std::string site, format;
  /// Low and high of each scale of a static format; empty where calibration is to find them.
  std::vector<float> bounds = {};
};

struct Assignment {
  std::string model, checkpoint;
  /// How it was found: "greedy 4.5bpw".
  std::string method;
  std::vector<SiteFormat> sites;
  AssignmentReport report;

  /// The format of a site, or nothing.
  std::optional<llvm::StringRef> find(llvm::StringRef site) const;

  llvm::json::Value toJSON() const;
  llvm::Error write(llvm::StringRef path) const;
  static llvm::Expected<Assignment> read(llvm::StringRef path);
};

/// The assignment of choices[i] at the i-th site, with its size and predicted KL.
Assignment makeAssignment(const AssignmentProblem &problem, llvm::ArrayRef<size_t> choices,
                          llvm::StringRef method);

} // namespace ssmq

#endif // SSMQ_ASSIGN_ASSIGNMENT_H
