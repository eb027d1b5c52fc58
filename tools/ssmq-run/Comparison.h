//===- Comparison.h - Holds programs against each other ---------*- C++ -*-===//

#ifndef SSMQ_TOOLS_SSMQ_RUN_COMPARISON_H
#define SSMQ_TOOLS_SSMQ_RUN_COMPARISON_H

#include "ssmq/Support/Program.h"

namespace ssmq {

struct NamedProgram {
  std::string name;
  std::unique_ptr<Program> program;
};

struct ComparisonOptions {
  /// Largest absolute difference of a logit.
  double tolerance = 1e-4;
  /// When set, decides in place of the tolerance: largest mean KL in nats, and the same likeliest
  /// token everywhere.
  std::optional<double> maxKL;
  /// How many random divisions of the tokens each program is fed besides the whole. Their logits
  /// must equal those of the whole within `chunkTolerance`, relative to the largest of them; those
  /// of states that are stored in fewer bits than f32, which other divisions round at other
  /// tokens, within a few steps of the format.
  unsigned numChunkings = 0;
  double chunkTolerance = 1e-5;
};

/// Compares every program with the first and prints how they differ. Returns whether all are within
/// the bounds.
llvm::Expected<bool> compare(llvm::ArrayRef<NamedProgram> programs, const Tensor &inputs,
                             const ComparisonOptions &options);

} // namespace ssmq

#endif // SSMQ_TOOLS_SSMQ_RUN_COMPARISON_H
