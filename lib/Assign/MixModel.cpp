//===- MixModel.cpp - KL near a measured mix ------------------------------===//

#include "ssmq/Assign/MixModel.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace ssmq;

/// Errors further from those of the base than that are not believed to point the same way.
static constexpr double largestAmplitude = 4;

MixModel::MixModel(const AssignmentProblem &problem, const Marginals &marginals)
    : problem(problem), marginals(marginals) {
  for (const auto &[pair, both] : marginals.bothRestored) {
    auto first = marginals.restored.find(pair.first), second = marginals.restored.find(pair.second);
    if (first != marginals.restored.end() && second != marginals.restored.end())
      pairs[pair] = marginals.baseKL - first->second - second->second + both;
  }
}

double MixModel::getAmplitude(size_t site, size_t choice) const {
  const std::vector<Choice> &choices = problem.sites[site].choices;
  if (choice == marginals.base[site])
    return 1;
  double base = std::max(0.0, choices[marginals.base[site]].cost);
  double cost = std::max(0.0, choices[choice].cost);
  return base > 0 ? std::min(largestAmplitude, std::sqrt(cost / base)) : 1;
}

double MixModel::getChange(size_t site, size_t choice) const {
  if (choice == marginals.base[site])
    return 0;
  if (auto known = marginals.changed.find({site, choice}); known != marginals.changed.end())
    return known->second - marginals.baseKL;
  const Choice &to = problem.sites[site].choices[choice];
  auto restored = marginals.restored.find(site);
  if (restored != marginals.restored.end() && to.format == keepFormat)
    return restored->second - marginals.baseKL;
  double base = std::max(0.0, problem.sites[site].choices[marginals.base[site]].cost);
  double change = std::max(0.0, to.cost) - base;
  if (restored == marginals.restored.end() || base == 0)
    return change;
  double together = marginals.baseKL - restored->second - base;
  return change + together * (getAmplitude(site, choice) - 1);
}

bool MixModel::isMeasured(size_t site, size_t choice) const {
  bool isKept = problem.sites[site].choices[choice].format == keepFormat;
  return choice == marginals.base[site] || marginals.changed.count({site, choice}) ||
         (isKept && marginals.restored.count(site));
}

double MixModel::predict(const MixChoices &choices) const {
  double kl = marginals.baseKL;
  for (size_t site = 0; site < choices.size(); ++site)
    kl += getChange(site, choices[site]);
  for (const auto &[pair, term] : pairs)
    kl += term * (1 - getAmplitude(pair.first, choices[pair.first])) *
          (1 - getAmplitude(pair.second, choices[pair.second]));
  return kl;
}

AssignmentProblem MixModel::linearize(const MixChoices &at) const {
  AssignmentProblem result = problem;
  for (auto [site, choices] : llvm::enumerate(result.sites))
    for (auto [index, choice] : llvm::enumerate(choices.choices))
      choice.cost = getChange(site, index);
  auto addPair = [&](size_t site, size_t other, double term) {
    double factor = term * (1 - getAmplitude(other, at[other]));
    for (auto [index, choice] : llvm::enumerate(result.sites[site].choices))
      choice.cost += factor * (1 - getAmplitude(site, index));
  };
  for (const auto &[pair, term] : pairs) {
    addPair(pair.first, pair.second, term);
    addPair(pair.second, pair.first, term);
  }
  for (SiteChoices &site : result.sites) {
    double least = 0;
    for (const Choice &choice : site.choices)
      least = std::min(least, choice.cost);
    for (Choice &choice : site.choices)
      choice.cost -= least;
  }
  return result;
}

AssignmentProblem MixModel::linearize() const { return linearize(marginals.base); }
