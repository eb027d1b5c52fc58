//===- Choices.h - What an assignment chooses from --------------*- C++ -*-===//
//
// Each site takes exactly one of its choices; costs add up over sites (the KL of a model whose
// sites are all perturbed a little is, to second order and without cross terms, the sum of those of
// one site each). A measured cost below 0 counts as 0.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_CHOICES_H
#define SSMQ_ASSIGN_CHOICES_H

#include "ssmq/Measure/SensitivityTable.h"

namespace ssmq {

/// The choice that leaves a site as the checkpoint stores it, at no cost.
inline constexpr llvm::StringLiteral keepFormat = "keep";

struct Choice {
  std::string format;
  int64_t bytes = 0;
  /// KL(p||q) in nats a token.
  double cost = 0;
};

struct SiteChoices {
  std::string site;
  std::vector<Choice> choices;
};

struct AssignmentProblem {
  /// Of the model that the choices belong to.
  std::string model, checkpoint;
  ModelSize size;
  std::vector<SiteChoices> sites;
};

struct ChoiceOptions {
  /// Offers keepFormat at every site.
  bool allowKeep = true;
  /// Spellings to choose from; empty for all of the table.
  std::vector<std::string> formats;
};

/// Fails when a site has no choice, a candidate has no records, or a wanted format is not in the
/// table.
llvm::Expected<AssignmentProblem> makeProblem(const SensitivityTable &table,
                                              const ChoiceOptions &options = {});

/// Fails on a site without choices, on costs that are not finite, and on bytes so large that sums
/// could overflow.
llvm::Error checkProblem(const AssignmentProblem &problem);

} // namespace ssmq

#endif // SSMQ_ASSIGN_CHOICES_H
