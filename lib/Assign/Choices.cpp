//===- Choices.cpp - What an assignment chooses from ----------------------===//

#include "ssmq/Assign/Choices.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static bool isStored(SiteKind kind) {
  return kind == SiteKind::Weight || kind == SiteKind::Norm || kind == SiteKind::Parameter;
}

/// What `bytes` at a site of this kind are used for; caches and activations count for one token.
static Choice makeChoice(std::string format, SiteKind kind, int64_t bytes, int64_t cacheTokens) {
  Choice choice;
  choice.format = std::move(format);
  if (isStored(kind))
    choice.bytes = bytes;
  else if (kind == SiteKind::State)
    choice.runtimeBytes = bytes;
  else if (kind == SiteKind::Activation)
    choice.transientBytes = bytes;
  else if (llvm::MulOverflow(bytes, cacheTokens, choice.runtimeBytes))
    choice.runtimeBytes = std::numeric_limits<int64_t>::max(); // checkProblem refuses it
  return choice;
}

/// A weight that stays is part of its site's choices; other stored sites are in fixedBytes, too.
static void addRest(AssignmentProblem &problem, const SiteInfo &site, int64_t cacheTokens) {
  Choice kept = makeChoice({}, site.kind, site.baselineBytes, cacheTokens);
  if (site.kind == SiteKind::Weight)
    problem.size.fixedBytes += kept.bytes;
  problem.rest.runtimeBytes += kept.runtimeBytes;
  problem.rest.transientBytes = std::max(problem.rest.transientBytes, kept.transientBytes);
}

static Error checkFormats(llvm::ArrayRef<SensitivityRow> rows,
                          llvm::ArrayRef<std::string> formats) {
  for (const std::string &format : formats)
    if (llvm::none_of(rows,
                      [&](const SensitivityRow &row) { return row.candidate.format == format; }))
      return makeError("the table has no format {0}; measure it first", quote(format));
  return Error::success();
}

std::optional<CostMetric> ssmq::parseCostMetric(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<CostMetric>>(name)
      .Case("forwardKL", CostMetric::ForwardKL)
      .Case("reverseKL", CostMetric::ReverseKL)
      .Case("meanSquaredError", CostMetric::MeanSquaredError)
      .Case("signalToNoise", CostMetric::SignalToNoise)
      .Default(std::nullopt);
}

static double getCost(const DivergenceSummary &estimate, CostMetric metric) {
  switch (metric) {
  case CostMetric::ForwardKL: return estimate.forwardKL.mean;
  case CostMetric::ReverseKL: return estimate.reverseKL.mean;
  case CostMetric::MeanSquaredError: return estimate.meanSquaredError.mean;
  case CostMetric::SignalToNoise: break;
  }
  return std::pow(10.0, -estimate.signalToNoise.mean / 10);
}

static Error checkMeasured(const SensitivityRow &row, CostMetric metric) {
  if (!row.isPredicted && row.estimate.numScored == 0)
    return makeError("{0} as {1} was never measured; let the sweep finish first",
                     quote(row.candidate.site), quote(row.candidate.format));
  if (!std::isfinite(getCost(row.estimate, metric)))
    return makeError("{0} as {1}: its {2} is not a number; leave the format out or measure again",
                     quote(row.candidate.site), quote(row.candidate.format),
                     metric == CostMetric::ForwardKL ? "KL" : "metric");
  return Error::success();
}

Expected<AssignmentProblem> ssmq::makeProblem(const SensitivityTable &table,
                                              const ChoiceOptions &options) {
  AssignmentProblem problem;
  problem.model = table.getIdentity().model;
  problem.checkpoint = table.getIdentity().checkpoint;
  problem.size = table.getModelSize();
  llvm::StringMap<std::pair<size_t, const SiteInfo *>> indices;
  for (const SiteInfo &site : table.getSites()) {
    if (!llvm::is_contained(options.kinds, site.kind)) {
      addRest(problem, site, options.cacheTokens);
      continue;
    }
    indices[site.name] = {problem.sites.size(), &site};
    problem.sites.push_back({site.name, {}, {}, site.kind});
    if (isStored(site.kind) && site.kind != SiteKind::Weight)
      problem.size.fixedBytes = std::max<int64_t>(0, problem.size.fixedBytes - site.baselineBytes);
  }
  std::vector<SensitivityRow> rows = table.getRows();
  if (Error error = checkFormats(rows, options.formats))
    return error;
  for (const SensitivityRow &row : rows) {
    auto place = indices.find(row.candidate.site);
    if (place == indices.end() ||
        (!options.formats.empty() && !llvm::is_contained(options.formats, row.candidate.format)))
      continue;
    if (row.isUnusable)
      continue; // no budget is worth it
    if (Error error = checkMeasured(row, options.metric))
      return error;
    auto [index, site] = place->second;
    Choice choice = makeChoice(row.candidate.format, site->kind, row.bytes, options.cacheTokens);
    choice.cost = std::max(0.0, getCost(row.estimate, options.metric));
    if (options.metric == CostMetric::ForwardKL)
      choice.reverseKL = row.estimate.reverseKL.mean;
    choice.crossEntropyChange = row.estimate.crossEntropyChange.mean;
    problem.sites[index].choices.push_back(std::move(choice));
  }
  if (options.allowKeep)
    for (const auto &entry : indices) {
      auto [index, site] = entry.getValue();
      Choice kept =
          makeChoice(keepFormat.str(), site->kind, site->baselineBytes, options.cacheTokens);
      kept.reverseKL = kept.crossEntropyChange = 0;
      problem.sites[index].choices.push_back(std::move(kept));
    }
  if (Error error = checkProblem(problem))
    return error;
  return problem;
}

Error ssmq::checkProblem(const AssignmentProblem &problem) {
  // 2^20 sites of 2^40 bytes still add up to less than 2^63.
  constexpr int64_t maxBytes = int64_t(1) << 40, maxSites = int64_t(1) << 20;
  // Times are added up in picoseconds.
  constexpr double maxNanoseconds = 0x1p40 / 1000;
  auto isWithin = [](int64_t bytes) { return bytes >= 0 && bytes <= maxBytes; };
  auto isTime = [](double time) { return time >= 0 && time <= maxNanoseconds; };
  if (problem.sites.empty() || problem.sites.size() > maxSites)
    return makeError("an assignment needs between 1 and {0} sites; there are {1}", maxSites,
                     problem.sites.size());
  if (problem.size.fixedBytes < 0 || problem.size.fixedBytes > maxBytes)
    return makeError("{0} bytes at no site cannot be", problem.size.fixedBytes);
  const RestOfModel &rest = problem.rest;
  if (!isWithin(rest.runtimeBytes) || !isWithin(rest.transientBytes) ||
      !isTime(rest.decodeNanoseconds) || !isTime(rest.prefillNanoseconds))
    return makeError("what the model needs beside its sites, {0} bytes of states and caches and "
                     "{1} ns a token, cannot be",
                     rest.runtimeBytes, rest.decodeNanoseconds);
  for (const SiteChoices &site : problem.sites) {
    if (site.choices.empty())
      return makeError("{0} has no format to choose from; measure one or allow to keep it",
                       quote(site.site));
    for (const Choice &choice : site.choices) {
      if (!(std::abs(choice.cost) <= 1e100) || !isWithin(choice.bytes))
        return makeError("{0} as {1}: {2} bytes at a cost of {3} cannot be", quote(site.site),
                         quote(choice.format), choice.bytes, choice.cost);
      if (!isWithin(choice.runtimeBytes) || !isWithin(choice.transientBytes) ||
          !isTime(choice.decodeNanoseconds) || !isTime(choice.prefillNanoseconds))
        return makeError("{0} as {1} needs a memory or a time that cannot be", quote(site.site),
                         quote(choice.format));
    }
  }
  return Error::success();
}
