//===- CostTable.h - How long each format takes on a target -----*- C++ -*-===//
//
// What `ssmq costs` measures, JSON: {"document": "ssmq-cost-table", "version": 1, "target": {...},
//   "entries": [{"op", "rows", "columns", "format", "decodeNanoseconds",
//                "prefillNanosecondsPerToken"}],
//   "sites": [{"site", "rows", "columns", "ops": [...]}],
//   "rest": {"decodeNanoseconds", "prefillNanosecondsPerToken"}}
// A site in a format takes the sum of the entries of its ops (a tied head is one more op of the
// embedding). A format that one of them has no entry for has no kernel on the target, so it is no
// choice there. "keep" is what the checkpoint stores. `rest`, which may be missing, is all that no
// site takes; so is what a site takes that the problem has no choices for. Sites of other kinds
// than weights take no time of their own.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_COSTTABLE_H
#define SSMQ_ASSIGN_COSTTABLE_H

#include "ssmq/Assign/Choices.h"
#include <map>
#include <tuple>

namespace ssmq {

class CostTable {
public:
  static llvm::Expected<CostTable> read(llvm::StringRef path);

  /// Gives the problem its nanoseconds and drops choices without a kernel. Fails where a weight is
  /// missing or has no choice left. Before ties are applied.
  llvm::Error apply(AssignmentProblem &problem) const;

private:
  struct Times {
    double decode = 0, prefill = 0;
  };
  struct SiteOps {
    int64_t rows, columns;
    std::vector<std::string> ops;
  };
  /// Null without a kernel.
  std::optional<Times> getTimes(const SiteOps &site, llvm::StringRef format) const;

  std::string path;
  std::map<std::tuple<std::string, int64_t, int64_t, std::string>, Times> entries;
  std::map<std::string, SiteOps, std::less<>> sites;
  Times rest;
};

} // namespace ssmq

#endif // SSMQ_ASSIGN_COSTTABLE_H
