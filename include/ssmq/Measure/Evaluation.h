//===- Evaluation.h - Measures a whole program on sequences -----*- C++ -*-===//
//
// A text of N tokens is cut into consecutive sequences of `sequenceLength` (the last may be
// shorter; it is dropped when it has one token). Each starts from zero states, and each is scored
// from its second token on: the logits after token i score token i + 1, so that a sequence of n
// tokens has n - 1 scored positions, and every mean below is over those. A labelled sequence
// (SequenceSet.h) has one scored position, its class.
//
// Errors and divergence: see Estimate.h, DivergenceSummary.h and Distribution.h.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_EVALUATION_H
#define SSMQ_MEASURE_EVALUATION_H

#include "ssmq/Measure/Distribution.h"
#include "ssmq/Measure/DivergenceSummary.h"
#include "ssmq/Measure/SequenceSet.h"
#include "ssmq/Support/Program.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>

namespace ssmq {

struct Evaluation {
  int64_t numSequences = 0, numScored = 0;
  Estimate crossEntropy;
  /// exp of the mean cross-entropy; its error by the delta method.
  Estimate perplexity;
  /// Share of positions whose target the program puts first.
  Estimate accuracy;
  /// Of positions, at getDivergenceLevels and getProbabilityChangeLevels.
  struct Distributions {
    std::vector<Quantile> forwardKL, probabilityChange;
  };
  /// Present when a teacher was given.
  std::optional<DivergenceSummary> divergence;
  std::optional<Distributions> distributions;
};

struct EvaluationOptions {
  /// Sequences evaluated at the same time; results do not depend on it.
  unsigned threads = 1;
  /// A file of the teacher's logits (TeacherCache.h), empty for none. When it exists it stands for
  /// the teacher, which may then be null; else it is written first.
  std::string teacherCache;
  /// As in TeacherCacheIdentity.
  std::string teacherIdentity;
};

/// Fails when there is no position to score, vocabularies differ, logits are not finite, a program
/// refuses inputs, or the teacher's file belongs to another evaluation.
llvm::Expected<Evaluation> evaluate(const Program &student, const Program *teacher,
                                    const SequenceSet &set, const EvaluationOptions &options);

struct GenerationOptions {
  int64_t numTokens = 32;
  /// 0 takes the likeliest token, the lowest of equals.
  double temperature = 0;
  uint64_t seed = 0;
  /// Sees each token as soon as it is chosen; returning false ends the text.
  llvm::function_ref<bool(int32_t)> onToken = nullptr;
};

/// The continuation of a prompt of at least one token.
llvm::Expected<std::vector<int32_t>>
generate(const Program &program, llvm::ArrayRef<int32_t> prompt, const GenerationOptions &options);

struct Throughput {
  /// Medians, in tokens (or steps) a second: of whole prompts, and of single tokens after it.
  double prefill = 0, decode = 0;
};

/// Times `repeats` prompts and, after each, `numTokens` greedy tokens; one more run goes before
/// and is not counted.
llvm::Expected<Throughput> benchmark(const Program &program, llvm::ArrayRef<int32_t> prompt,
                                     int64_t numTokens, unsigned repeats = 5);
/// The same for a sequence of features [T, C] and, one by one, `numSteps` of its steps from its
/// start on.
llvm::Expected<Throughput> benchmark(const Program &program, const Tensor &features,
                                     int64_t numSteps, unsigned repeats = 5);

} // namespace ssmq

#endif // SSMQ_MEASURE_EVALUATION_H
