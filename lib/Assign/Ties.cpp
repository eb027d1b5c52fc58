//===- Ties.cpp - Sites that take one format together ---------------------===//

#include "ssmq/Assign/Ties.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/Regex.h"
#include <map>

using namespace ssmq;
using llvm::Error;

/// Groups of sites, each by rising index.
static llvm::Expected<std::vector<std::vector<size_t>>>
findGroups(const AssignmentProblem &problem, llvm::ArrayRef<std::string> patterns) {
  std::vector<std::vector<size_t>> groups;
  std::vector<bool> isTied(problem.sites.size());
  for (const std::string &pattern : patterns) {
    llvm::Regex regex(pattern);
    std::string problemOfIt;
    if (!regex.isValid(problemOfIt))
      return makeError("the pattern {0} to tie sites by: {1}", quote(pattern), problemOfIt);
    std::map<std::vector<std::string>, std::vector<size_t>> found;
    for (size_t site : llvm::seq(problem.sites.size())) {
      llvm::SmallVector<llvm::StringRef> captures;
      if (!regex.match(problem.sites[site].site, &captures))
        continue;
      if (isTied[site])
        return makeError("{0} is tied by two patterns, the second {1}",
                         quote(problem.sites[site].site), quote(pattern));
      isTied[site] = true;
      found[{captures.begin() + 1, captures.end()}].push_back(site);
    }
    if (found.empty())
      return makeError("no site is found by the pattern {0}, which ties sites", quote(pattern));
    for (auto &[captures, sites] : found)
      groups.push_back(std::move(sites));
  }
  return groups;
}

static const Choice *findChoice(const SiteChoices &site, llvm::StringRef format) {
  for (const Choice &choice : site.choices)
    if (choice.format == format)
      return &choice;
  return nullptr;
}

static void add(Choice &sum, const Choice &one) {
  sum.bytes += one.bytes;
  sum.cost = std::max(0.0, sum.cost) + std::max(0.0, one.cost);
  sum.runtimeBytes += one.runtimeBytes;
  sum.transientBytes = std::max(sum.transientBytes, one.transientBytes);
  sum.decodeNanoseconds += one.decodeNanoseconds;
  sum.prefillNanoseconds += one.prefillNanoseconds;
  sum.reverseKL += one.reverseKL;
  sum.crossEntropyChange += one.crossEntropyChange;
}

static llvm::Expected<SiteChoices> merge(const AssignmentProblem &problem,
                                         llvm::ArrayRef<size_t> sites) {
  SiteChoices merged = problem.sites[sites.front()];
  merged.members = {merged.site};
  for (size_t index : sites.drop_front()) {
    const SiteChoices &site = problem.sites[index];
    merged.site += " + " + site.site;
    merged.members.push_back(site.site);
    llvm::erase_if(merged.choices,
                   [&](const Choice &choice) { return !findChoice(site, choice.format); });
    for (Choice &choice : merged.choices)
      add(choice, *findChoice(site, choice.format));
  }
  if (merged.choices.empty())
    return makeError("the tied sites {0} have no format in common", quote(merged.site));
  return merged;
}

Error ssmq::tieSites(AssignmentProblem &problem, llvm::ArrayRef<std::string> patterns) {
  auto groups = findGroups(problem, patterns);
  if (!groups)
    return groups.takeError();
  std::vector<bool> isGone(problem.sites.size());
  for (const std::vector<size_t> &group : *groups) {
    if (group.size() < 2)
      continue;
    llvm::Expected<SiteChoices> merged = merge(problem, group);
    if (!merged)
      return merged.takeError();
    problem.sites[group.front()] = std::move(*merged);
    for (size_t index : llvm::ArrayRef(group).drop_front())
      isGone[index] = true;
  }
  std::vector<SiteChoices> left;
  for (auto [site, gone] : llvm::zip_equal(problem.sites, isGone))
    if (!gone)
      left.push_back(std::move(site));
  problem.sites = std::move(left);
  return Error::success();
}
