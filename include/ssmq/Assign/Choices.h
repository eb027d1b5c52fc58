//===- Choices.h - What an assignment chooses from --------------*- C++ -*-===//
//
// Each site takes exactly one of its choices; costs add up over sites (the KL of a model whose
// sites are all perturbed a little is, to second order and without cross terms, the sum of those of
// one site each). A measured cost below 0 counts as 0.
//
// What choices use adds up too:
//   stored bytes      weights, norms and parameters as the checkpoint holds them, and fixedBytes;
//   memory            these, states, caches with all their tokens, and the largest activation;
//   decode, prefill   nanoseconds a token, of a cost table (CostTable.h).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_CHOICES_H
#define SSMQ_ASSIGN_CHOICES_H

#include "ssmq/Measure/SensitivityTable.h"
#include <limits>

namespace ssmq {

/// The choice that leaves a site as the checkpoint stores it, at no cost.
inline constexpr llvm::StringLiteral keepFormat = "keep";

struct Choice {
  std::string format;
  /// In the checkpoint.
  int64_t bytes = 0;
  /// KL(p||q) in nats a token.
  double cost = 0;
  /// Held while the model runs, beside `bytes`: a state, a cache with all its tokens.
  int64_t runtimeBytes = 0;
  /// An activation of one token, of which only the largest of all sites counts.
  int64_t transientBytes = 0;
  /// Of the ops that use the site, for one token.
  double decodeNanoseconds = 0, prefillNanoseconds = 0;
  /// KL(q||p), and the change of the cross-entropy (of the logarithm of the perplexity), in nats a
  /// token; NaN where the table does not say.
  double reverseKL = std::numeric_limits<double>::quiet_NaN();
  double crossEntropyChange = std::numeric_limits<double>::quiet_NaN();
};

struct SiteChoices {
  std::string site;
  std::vector<Choice> choices;
  /// The sites that share the choice (Ties.h); empty where it is `site` alone.
  std::vector<std::string> members = {};
  SiteKind kind = SiteKind::Weight;
};

/// What no choice changes.
struct RestOfModel {
  int64_t runtimeBytes = 0, transientBytes = 0;
  double decodeNanoseconds = 0, prefillNanoseconds = 0;
};

struct AssignmentProblem {
  /// Of the model that the choices belong to; empty where the table does not say.
  std::string model, checkpoint;
  ModelSize size;
  std::vector<SiteChoices> sites;
  RestOfModel rest = {};
  /// Whether bytes are known, and nanoseconds.
  bool hasSizes = true, hasTimes = false;
};

/// What a choice costs; all but the first as baselines. They add up over sites alike.
enum class CostMetric : uint8_t {
  ForwardKL,
  ReverseKL,
  /// Of the logits.
  MeanSquaredError,
  /// As the ratio of noise to signal: decibels do not add up.
  SignalToNoise
};
/// "forwardKL", "reverseKL", "meanSquaredError", "signalToNoise", as tables name them.
std::optional<CostMetric> parseCostMetric(llvm::StringRef name);

struct ChoiceOptions {
  /// Offers keepFormat at every site.
  bool allowKeep = true;
  /// Spellings to choose from; empty for all of the table.
  std::vector<std::string> formats = {};
  /// Sites of other kinds stay as they are.
  std::vector<SiteKind> kinds = {SiteKind::Weight};
  /// Length of the caches.
  int64_t cacheTokens = 1;
  /// With another metric than ForwardKL the published rules sort by it, too.
  CostMetric metric = CostMetric::ForwardKL;
};

/// Fails when a site has no choice, a candidate has no records or no finite cost, and when a wanted
/// format is not in the table.
llvm::Expected<AssignmentProblem> makeProblem(const SensitivityTable &table,
                                              const ChoiceOptions &options = {});

/// Fails on a site without choices, on costs that are not finite, and on uses so large that sums
/// could overflow.
llvm::Error checkProblem(const AssignmentProblem &problem);

} // namespace ssmq

#endif // SSMQ_ASSIGN_CHOICES_H
