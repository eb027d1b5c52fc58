//===- KLRules.cpp - The published rules, as baselines --------------------===//

#include "ssmq/Assign/KLRules.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

namespace {
struct Entry {
  size_t site, choice;
  double divergence;
};
} // namespace

/// Each site's keepFormat.
static Expected<std::vector<size_t>> getOriginal(const AssignmentProblem &problem) {
  std::vector<size_t> kept;
  for (const SiteChoices &site : problem.sites) {
    const auto *choice = llvm::find_if(llvm::ArrayRef(site.choices),
                                       [](const Choice &one) { return one.format == keepFormat; });
    kept.push_back(choice - site.choices.data());
    if (kept.back() == site.choices.size())
      return makeError("{0} cannot stay as it is, which the rule begins with", quote(site.site));
  }
  return kept;
}

/// By rising divergence; equal ones as they come.
static std::vector<Entry> sortEntries(const AssignmentProblem &problem) {
  bool isReverseKnown = llvm::all_of(problem.sites, [](const SiteChoices &site) {
    return llvm::all_of(site.choices, [](const Choice &c) { return std::isfinite(c.reverseKL); });
  });
  std::vector<Entry> entries;
  for (auto [index, site] : llvm::enumerate(problem.sites))
    for (auto [k, choice] : llvm::enumerate(site.choices))
      if (choice.format != keepFormat)
        entries.push_back({index, k, isReverseKnown ? choice.reverseKL : choice.cost});
  llvm::sort(entries, [](const Entry &a, const Entry &b) {
    return std::tie(a.divergence, a.site, a.choice) < std::tie(b.divergence, b.site, b.choice);
  });
  return entries;
}

Expected<Assignment> ssmq::assignByCut(const AssignmentProblem &problem, int point) {
  constexpr int numPoints = 10;
  if (point < 1 || point > numPoints)
    return makeError("there is no cut {0}; take one of 1 to {1}", point, numPoints);
  if (Error error = checkProblem(problem))
    return error;
  Expected<std::vector<size_t>> choices = getOriginal(problem);
  if (!choices)
    return choices.takeError();
  std::vector<Entry> entries = sortEntries(problem);
  if (entries.empty())
    return makeError("the table has no format to choose");
  size_t cut = static_cast<size_t>(point) * ((entries.size() - 1) / numPoints);
  for (const Entry &entry : llvm::ArrayRef(entries).take_front(cut))
    (*choices)[entry.site] = entry.choice;
  return makeAssignment(problem, *choices, llvm::formatv("kl-mpq-p{0,0+2}", point).str());
}

Expected<Assignment> ssmq::assignByPerplexity(const AssignmentProblem &problem,
                                              const PerplexityRule &rule, MeasureMix measure) {
  if (!(rule.gamma > 1) || !std::isfinite(rule.gamma))
    return makeError("gamma is {0}; it must be above 1", rule.gamma);
  if (Error error = checkProblem(problem))
    return error;
  Expected<std::vector<size_t>> choices = getOriginal(problem);
  if (!choices)
    return choices.takeError();
  auto addUp = [&](llvm::ArrayRef<size_t> mix) -> Expected<double> {
    double change = 0;
    for (auto [site, choice] : llvm::zip_equal(problem.sites, mix))
      change += site.choices[choice].crossEntropyChange;
    return change;
  };
  const double step = std::log(rule.gamma);
  double reference = 0;
  for (const Entry &entry : sortEntries(problem)) {
    const Choice &choice = problem.sites[entry.site].choices[entry.choice];
    if (!measure && std::isnan(choice.crossEntropyChange))
      return makeError("{0} as {1}: the table has no perplexity, which the rule asks for",
                       quote(problem.sites[entry.site].site), quote(choice.format));
    size_t before = std::exchange((*choices)[entry.site], entry.choice);
    Expected<double> change = measure ? measure(*choices) : addUp(*choices);
    if (!change)
      return change.takeError();
    if (!(*change <= reference + step))
      (*choices)[entry.site] = before;
    else if (rule.compounding)
      reference = *change;
  }
  return makeAssignment(problem, *choices,
                        rule.compounding ? "kl-mpq-greedy" : "kl-mpq-greedy-fixed");
}
