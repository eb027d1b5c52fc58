//===- Uniform.cpp - The same format everywhere ---------------------------===//

#include "ssmq/Assign/Uniform.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"

using namespace ssmq;
using llvm::Expected;

static std::optional<size_t> findChoice(const SiteChoices &site, llvm::StringRef format) {
  for (auto [k, choice] : llvm::enumerate(site.choices))
    if (choice.format == format)
      return k;
  return std::nullopt;
}

Expected<Assignment> ssmq::assignUniform(const AssignmentProblem &problem, llvm::StringRef format,
                                         std::optional<llvm::StringRef> fallback) {
  if (llvm::Error error = checkProblem(problem))
    return error;
  std::vector<size_t> chosen;
  int64_t numFallbacks = 0;
  for (const SiteChoices &site : problem.sites) {
    std::optional<size_t> choice = findChoice(site, format);
    if (!choice && fallback) {
      choice = findChoice(site, *fallback);
      ++numFallbacks;
    }
    if (!choice)
      return makeError("{0} was not measured as {1}{2}; measure it, or name a fallback",
                       quote(site.site), quote(format),
                       fallback ? " nor as " + quote(*fallback) : std::string());
    chosen.push_back(*choice);
  }
  Assignment result = makeAssignment(problem, chosen, ("uniform " + format).str());
  result.report.numFallbacks = numFallbacks;
  return result;
}
