//===- Choices.cpp - What an assignment chooses from ----------------------===//

#include "ssmq/Assign/Choices.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

Expected<AssignmentProblem> ssmq::makeProblem(const SensitivityTable &table,
                                              const ChoiceOptions &options) {
  AssignmentProblem problem{
      table.getIdentity().model, table.getIdentity().checkpoint, table.getModelSize(), {}};
  llvm::StringMap<size_t> indices;
  // Budgets are of stored weights.
  std::vector<SiteInfo> weights;
  for (const SiteInfo &site : table.getSites())
    if (site.kind == SiteKind::Weight) {
      indices[site.name] = weights.size();
      weights.push_back(site);
      problem.sites.push_back({site.name, {}});
    }
  std::vector<SensitivityRow> rows = table.getRows();
  for (const std::string &format : options.formats)
    if (llvm::none_of(rows,
                      [&](const SensitivityRow &row) { return row.candidate.format == format; }))
      return makeError("the table has no format {0}; measure it first", quote(format));
  for (const SensitivityRow &row : rows) {
    if (!indices.contains(row.candidate.site))
      continue;
    if (!options.formats.empty() && !llvm::is_contained(options.formats, row.candidate.format))
      continue;
    if (row.estimate.numScored == 0)
      return makeError("{0} as {1} was never measured; let the sweep finish first",
                       quote(row.candidate.site), quote(row.candidate.format));
    problem.sites[indices[row.candidate.site]].choices.push_back(
        {row.candidate.format, row.bytes, std::max(0.0, row.estimate.forwardKL.mean)});
  }
  if (options.allowKeep)
    for (auto [choices, info] : llvm::zip_equal(problem.sites, weights))
      choices.choices.push_back({keepFormat.str(), info.baselineBytes, 0});
  if (Error error = checkProblem(problem))
    return error;
  return problem;
}

Error ssmq::checkProblem(const AssignmentProblem &problem) {
  // 2^20 sites of 2^40 bytes still add up to less than 2^63.
  constexpr int64_t maxBytes = int64_t(1) << 40, maxSites = int64_t(1) << 20;
  if (problem.sites.empty() || problem.sites.size() > maxSites)
    return makeError("an assignment needs between 1 and {0} sites; there are {1}", maxSites,
                     problem.sites.size());
  if (problem.size.fixedBytes < 0 || problem.size.fixedBytes > maxBytes)
    return makeError("{0} bytes at no site cannot be", problem.size.fixedBytes);
  for (const SiteChoices &site : problem.sites) {
    if (site.choices.empty())
      return makeError("{0} has no format to choose from; measure one or allow to keep it",
                       quote(site.site));
    for (const Choice &choice : site.choices)
      if (!std::isfinite(choice.cost) || choice.bytes < 0 || choice.bytes > maxBytes)
        return makeError("{0} as {1}: {2} bytes at a cost of {3} cannot be", quote(site.site),
                         quote(choice.format), choice.bytes, choice.cost);
  }
  return Error::success();
}
