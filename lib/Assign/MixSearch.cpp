//===- MixSearch.cpp - Solve, measure, solve again ------------------------===//

#include "ssmq/Assign/MixSearch.h"

#include "ssmq/Measure/DivergenceSummary.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

using Sequences = std::vector<DivergenceSums>;

namespace {

struct Trial {
  std::string name;
  unsigned round;
  bool isUniform;
  MixChoices choices;
  Sequences sums;
  /// By the table, or by what was measured around an earlier mix.
  double predictedKL;

  double getKL() const { return combineKL({{1, sums}}).mean; }
};

class Search {
public:
  Search(const AssignmentProblem &problem, const MixOracle &oracle, const MixSearchOptions &options)
      : problem(problem), oracle(oracle), options(options) {}

  Expected<Assignment> run(llvm::ArrayRef<NamedMix> uniform, llvm::StringRef method);

private:
  Assignment describe(llvm::StringRef method) const;
  Error measure(std::vector<Trial> added);
  Expected<Marginals> measureMarginals(const Trial &base);
  /// The KL of the base with each change.
  Expected<std::vector<double>> measureChanges(const MixChoices &base,
                                               llvm::ArrayRef<std::vector<MixChange>> changes);
  /// Adds solutions of corrected problems that are not measured yet; none when nothing is new.
  Expected<std::vector<Trial>> solveAgain(const Marginals &marginals, unsigned round);
  /// Of the choices that were measured around the base only.
  Expected<MixChoices> solveNear(const MixModel &model);
  bool isKnown(const MixChoices &choices) const {
    return llvm::any_of(trials, [&](const Trial &one) { return one.choices == choices; });
  }
  double sumCosts(const MixChoices &choices) const;
  std::vector<MixChange> getNeighbours(size_t site, size_t choice) const;

  const AssignmentProblem &problem;
  const MixOracle &oracle;
  const MixSearchOptions &options;
  std::vector<Trial> trials;
  /// Of the best trial.
  size_t best = 0;
};

} // namespace

double Search::sumCosts(const MixChoices &choices) const {
  double sum = 0;
  for (auto [site, choice] : llvm::zip_equal(problem.sites, choices))
    sum += std::max(0.0, site.choices[choice].cost);
  return sum;
}

Error Search::measure(std::vector<Trial> added) {
  std::vector<MixChoices> mixes;
  for (const Trial &one : added)
    mixes.push_back(one.choices);
  Expected<MixOracle::Sums> sums = oracle.measure(mixes);
  if (!sums)
    return sums.takeError();
  for (auto [trial, measured] : llvm::zip_equal(added, *sums)) {
    trial.sums = std::move(measured);
    trials.push_back(std::move(trial));
  }
  return Error::success();
}

Expected<std::vector<double>>
Search::measureChanges(const MixChoices &base, llvm::ArrayRef<std::vector<MixChange>> changes) {
  Expected<MixOracle::Sums> sums = oracle.measureChanges(base, changes);
  if (!sums)
    return sums.takeError();
  std::vector<double> kls;
  for (const Sequences &one : *sums)
    kls.push_back(combineKL({{1, one}}).mean);
  return kls;
}

std::vector<MixChange> Search::getNeighbours(size_t site, size_t choice) const {
  llvm::ArrayRef<Choice> choices = problem.sites[site].choices;
  std::optional<size_t> smaller, larger;
  auto getBytes = [&](size_t k) { return choices[k].bytes; };
  for (size_t k : llvm::seq(choices.size())) {
    if (getBytes(k) < getBytes(choice) && (!smaller || getBytes(k) > getBytes(*smaller)))
      smaller = k;
    if (getBytes(k) > getBytes(choice) && choices[k].format != keepFormat &&
        (!larger || getBytes(k) < getBytes(*larger)))
      larger = k;
  }
  std::vector<MixChange> result;
  for (std::optional<size_t> one : {smaller, larger})
    if (one)
      result.push_back({site, one});
  return result;
}

Expected<Marginals> Search::measureMarginals(const Trial &base) {
  Marginals result{base.choices, base.getKL()};
  auto getFormat = [&](size_t site) -> const Choice & {
    return problem.sites[site].choices[base.choices[site]];
  };
  std::vector<size_t> order;
  for (size_t site : llvm::seq(problem.sites.size()))
    if (getFormat(site).format != keepFormat)
      order.push_back(site);
  auto sortBy = [&](auto getGain) {
    llvm::sort(order, [&](size_t a, size_t b) {
      return std::make_pair(-getGain(a), a) < std::make_pair(-getGain(b), b);
    });
  };
  sortBy([&](size_t site) { return getFormat(site).cost; });
  order.resize(std::min<size_t>(order.size(), options.numRestored));
  std::vector<std::vector<MixChange>> changes;
  for (size_t site : order)
    changes.push_back({{site}});
  Expected<std::vector<double>> restored = measureChanges(base.choices, changes);
  if (!restored)
    return restored.takeError();
  for (auto [site, kl] : llvm::zip_equal(order, *restored))
    result.restored[site] = kl;

  sortBy([&](size_t site) { return result.baseKL - result.restored[site]; });
  changes.clear();
  for (size_t site : llvm::ArrayRef(order).take_front(options.numNeighbours))
    for (const MixChange &one : getNeighbours(site, base.choices[site]))
      changes.push_back({one});
  size_t numNeighbours = changes.size();
  std::vector<size_t> paired = order;
  paired.resize(std::min<size_t>(order.size(), options.numPaired));
  llvm::sort(paired);
  for (size_t i : llvm::seq(paired.size()))
    for (size_t j : llvm::seq(i + 1, paired.size()))
      changes.push_back({{paired[i]}, {paired[j]}});
  Expected<std::vector<double>> kls = measureChanges(base.choices, changes);
  if (!kls)
    return kls.takeError();
  for (auto [i, change] : llvm::enumerate(changes)) {
    if (i < numNeighbours)
      result.changed[{change[0].site, *change[0].choice}] = (*kls)[i];
    else
      result.bothRestored[{change[0].site, change[1].site}] = (*kls)[i];
  }
  return result;
}

Expected<std::vector<Trial>> Search::solveAgain(const Marginals &marginals, unsigned round) {
  MixModel model(problem, marginals);
  std::vector<Trial> found;
  auto add = [&](llvm::StringRef name, const MixChoices &choices) {
    if (!isKnown(choices) &&
        llvm::none_of(found, [&](auto &one) { return one.choices == choices; }))
      found.push_back({name.str(), round, false, choices, {}, model.predict(choices)});
  };
  Expected<MixChoices> linear = oracle.solve(model.linearize());
  if (!linear)
    return linear.takeError();
  add("marginal", *linear);
  // Each solution is the point where the pair terms of the next one are taken.
  constexpr unsigned maxSteps = 8;
  MixChoices at = *linear, least = *linear;
  for (unsigned step = 0; step < maxSteps; ++step) {
    Expected<MixChoices> next = oracle.solve(model.linearize(at));
    if (!next)
      return next.takeError();
    if (model.predict(*next) < model.predict(least))
      least = *next;
    if (*next == at)
      break;
    at = std::move(*next);
  }
  add("marginal and pairs", least);
  Expected<MixChoices> near = solveNear(model);
  if (!near)
    return near.takeError();
  add("measured changes", *near);
  return found;
}

/// Nothing is believed of a table that turned out wrong.
Expected<MixChoices> Search::solveNear(const MixModel &model) {
  AssignmentProblem restricted = model.linearize();
  std::vector<std::vector<size_t>> kept(restricted.sites.size());
  for (auto [index, site] : llvm::enumerate(restricted.sites)) {
    std::vector<Choice> choices;
    for (size_t choice : llvm::seq(site.choices.size()))
      if (model.isMeasured(index, choice)) {
        kept[index].push_back(choice);
        choices.push_back(site.choices[choice]);
      }
    site.choices = std::move(choices);
  }
  Expected<MixChoices> chosen = oracle.solve(restricted);
  if (chosen)
    for (auto [choice, indices] : llvm::zip_equal(*chosen, kept))
      choice = indices[choice];
  return chosen;
}

static std::string formatKL(const Estimate &kl) {
  return llvm::formatv("{0:e2} ± {1:e1}", kl.mean, kl.standardError);
}

Assignment Search::describe(llvm::StringRef method) const {
  const Trial &chosen = trials[best];
  Assignment result = makeAssignment(problem, chosen.choices, method);
  Estimate kl = combineKL({{1, chosen.sums}});
  result.report.measuredKL = kl.mean;
  result.report.measuredKLError = kl.standardError;
  const Trial *mix = nullptr;
  for (const Trial &one : trials) {
    Assignment as = makeAssignment(problem, one.choices, one.name);
    result.report.trials.push_back(
        {one.name, one.round, as.report.totalBytes, as.report.bitsPerWeight, one.predictedKL,
         combineKL({{1, one.sums}}), combineKL({{1, one.sums}, {-1, chosen.sums}})});
    if (!one.isUniform && (!mix || one.getKL() < mix->getKL()))
      mix = &one;
  }
  if (!chosen.isUniform) {
    if (chosen.round > 0)
      result.method += llvm::formatv(", solved again ({0}, round {1})", chosen.name, chosen.round);
    return result;
  }
  result.method = llvm::formatv("{0} (the mix measured worse: KL {1} against {2})", chosen.name,
                                formatKL(combineKL({{1, mix->sums}})), formatKL(kl));
  result.report.note = result.method;
  return result;
}

/// What measures better by less than so many standard errors is often worse on other text: among
/// several mixes one is always lucky, and there are few sequences.
static constexpr double neededErrors = 2;

/// Mixes differ from each other by far less than the error of one, since it is largely what the
/// sequences do to all of them; so a difference that is not small is looked into all the same.
static bool isExplained(const Estimate &measured, double predicted) {
  constexpr double small = 0.05;
  double difference = std::abs(measured.mean - predicted);
  return !(difference > measured.standardError) && !(difference > small * measured.mean);
}

Expected<Assignment> Search::run(llvm::ArrayRef<NamedMix> uniform, llvm::StringRef method) {
  Expected<MixChoices> first = oracle.solve(problem);
  if (!first)
    return first.takeError();
  std::vector<Trial> start = {{"table", 0, false, *first, {}, sumCosts(*first)}};
  for (const NamedMix &one : uniform)
    if (one.choices != *first)
      start.push_back({"uniform " + one.name, 0, true, one.choices, {}, sumCosts(one.choices)});
  if (Error error = measure(std::move(start)))
    return std::move(error);
  for (size_t i : llvm::seq(trials.size()))
    if (trials[i].getKL() < trials[best].getKL())
      best = i;
  for (unsigned round = 1; round <= options.maxRounds; ++round) {
    const Trial &base = trials[best];
    Estimate measured = combineKL({{1, base.sums}});
    if (std::isnan(measured.standardError))
      break; // of one sequence no difference is known to be one
    if (isExplained(measured, base.predictedKL) && !base.isUniform)
      break;
    Expected<Marginals> marginals = measureMarginals(base);
    if (!marginals)
      return marginals.takeError();
    Expected<std::vector<Trial>> found = solveAgain(*marginals, round);
    if (!found)
      return found.takeError();
    size_t known = trials.size(), before = best;
    if (Error error = measure(std::move(*found)))
      return std::move(error);
    for (size_t i : llvm::seq(known, trials.size())) {
      Estimate gain = combineKL({{1, trials[before].sums}, {-1, trials[i].sums}});
      if (gain.mean > neededErrors * gain.standardError && trials[i].getKL() < trials[best].getKL())
        best = i;
    }
    if (best == before)
      break;
  }
  return describe(method);
}

Expected<Assignment> ssmq::searchMix(const AssignmentProblem &problem,
                                     llvm::ArrayRef<NamedMix> uniform, const MixOracle &oracle,
                                     const MixSearchOptions &options, llvm::StringRef method) {
  if (Error error = checkProblem(problem))
    return error;
  return Search(problem, oracle, options).run(uniform, method);
}
