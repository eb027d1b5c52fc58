//===- Limits.cpp - What an assignment may use ----------------------------===//

#include "ssmq/Assign/Limits.h"

#include "ssmq/Assign/Budget.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static constexpr double picoseconds = 1000;

int64_t ssmq::getUse(const Choice &choice, Resource resource) {
  switch (resource) {
  case Resource::StoredBytes: return choice.bytes;
  case Resource::Memory: return choice.bytes + choice.runtimeBytes;
  case Resource::DecodeTime:
    return static_cast<int64_t>(std::ceil(choice.decodeNanoseconds * picoseconds));
  case Resource::PrefillTime:
    return static_cast<int64_t>(std::ceil(choice.prefillNanoseconds * picoseconds));
  }
  return 0;
}

Expected<std::vector<Capacity>> ssmq::getCapacities(const AssignmentProblem &problem,
                                                    const Limits &limits) {
  if ((limits.storedBytes || limits.memoryBytes) && !problem.hasSizes)
    return makeError("the table has no sizes, which a budget needs; take one that `ssmq measure` "
                     "wrote");
  if ((limits.decodeNanoseconds || limits.prefillNanoseconds) && !problem.hasTimes)
    return makeError("a limit on time needs a cost table; `ssmq costs` writes one");
  std::vector<Capacity> capacities;
  if (limits.storedBytes)
    capacities.push_back({Resource::StoredBytes, *limits.storedBytes - problem.size.fixedBytes});
  if (limits.memoryBytes)
    capacities.push_back({Resource::Memory, *limits.memoryBytes - problem.size.fixedBytes -
                                                problem.rest.runtimeBytes -
                                                problem.rest.transientBytes});
  auto addTime = [&](Resource resource, std::optional<double> limit, double rest) {
    constexpr double largest = 0x1p62;
    if (limit)
      capacities.push_back(
          {resource, static_cast<int64_t>(std::clamp(std::floor((*limit - rest) * picoseconds),
                                                     -largest, largest))});
  };
  addTime(Resource::DecodeTime, limits.decodeNanoseconds, problem.rest.decodeNanoseconds);
  addTime(Resource::PrefillTime, limits.prefillNanoseconds, problem.rest.prefillNanoseconds);
  return capacities;
}

Error ssmq::applyCeiling(AssignmentProblem &problem, double siteKL) {
  double needed = 0;
  const SiteChoices *worst = nullptr;
  for (SiteChoices &site : problem.sites) {
    double best = std::numeric_limits<double>::infinity();
    for (const Choice &choice : site.choices)
      best = std::min(best, std::max(0.0, choice.cost));
    if (best > siteKL && best > needed) {
      needed = best;
      worst = &site;
    }
    llvm::erase_if(site.choices, [&](const Choice &choice) { return choice.cost > siteKL; });
  }
  if (!worst)
    return Error::success();
  return makeError("no site may cost more than a KL of {0:e2}, but {1} costs {2:e2} at the least",
                   siteKL, quote(worst->site), needed);
}

static Error checkCapacity(const AssignmentProblem &problem, const Limits &limits,
                           Capacity capacity, int64_t smallest) {
  if (smallest <= capacity.amount)
    return Error::success();
  const int64_t missing = smallest - capacity.amount;
  constexpr double milliseconds = 1e6; // in nanoseconds
  const double missingMilliseconds = static_cast<double>(missing) / picoseconds / milliseconds;
  switch (capacity.resource) {
  case Resource::StoredBytes:
    return checkReachable(*limits.storedBytes, *limits.storedBytes + missing, problem.size);
  case Resource::Memory:
    return makeError("{0} bytes of memory are too few: the smallest that the measured formats need "
                     "is {1} bytes",
                     *limits.memoryBytes, *limits.memoryBytes + missing);
  case Resource::DecodeTime:
    return makeError("decoding a token in {0:F6} ms is too fast: the least of the measured formats "
                     "is {1:F6} ms",
                     *limits.decodeNanoseconds / milliseconds,
                     *limits.decodeNanoseconds / milliseconds + missingMilliseconds);
  case Resource::PrefillTime:
    return makeError("a token of the prompt in {0:F6} ms is too fast: the least of the measured "
                     "formats is {1:F6} ms",
                     *limits.prefillNanoseconds / milliseconds,
                     *limits.prefillNanoseconds / milliseconds + missingMilliseconds);
  }
  return Error::success();
}

Error ssmq::checkLimits(const AssignmentProblem &problem, const Limits &limits) {
  Expected<std::vector<Capacity>> capacities = getCapacities(problem, limits);
  if (!capacities)
    return capacities.takeError();
  for (Capacity capacity : *capacities) {
    int64_t smallest = 0;
    for (const SiteChoices &site : problem.sites) {
      auto uses = llvm::map_range(
          site.choices, [&](const Choice &choice) { return getUse(choice, capacity.resource); });
      smallest += *llvm::min_element(uses);
    }
    if (Error error = checkCapacity(problem, limits, capacity, smallest))
      return error;
  }
  return Error::success();
}
