//===- Request.h - An assignment as people ask for it -----------*- C++ -*-===//
//
// What the command, the pass and the C interface share. As JSON, all but `table` may be missing:
//
//   {"table": "table.json", "rule": "optimal", "budgets": ["4.5bpw"], "memory": "3MB",
//    "cacheTokens": 2048, "decodeMilliseconds": 3, "prefillMilliseconds": 0.5, "siteKL": 0.01,
//    "costs": "costs.json", "formats": ["int4:g64"], "sites": ["weight"], "ties": ["[qkv]_proj"],
//    "keep": true, "metric": "forwardKL", "gamma": 1.1, "perplexity": 21.6}
//
// Rules:
//   optimal               the least KL within all limits (Optimal.h)
//   greedy                nearly that, of one limit on stored bytes (Greedy.h)
//   kl-mpq-p01 .. -p10    the cuts of KL-MPQ (KLRules.h); takes no limits
//   kl-mpq-greedy         its greedy rule, as published; `kl-mpq-greedy-fixed` does not compound
//
// The metric is that of ChoiceOptions; with another than forwardKL no KL is predicted.
//
// The table is a sensitivity table, or CSV (ForeignTable.h). Times are of one token.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_ASSIGN_REQUEST_H
#define SSMQ_ASSIGN_REQUEST_H

#include "ssmq/Assign/Optimal.h"

namespace ssmq {

struct AssignRequest {
  std::string table, rule = "optimal";
  /// Of stored bytes (Budget.h); the smallest holds.
  std::vector<std::string> budgets = {};
  std::string memory = {}, costs = {};
  int64_t cacheTokens = 1;
  std::optional<double> decodeMilliseconds = std::nullopt, prefillMilliseconds = std::nullopt;
  std::optional<double> siteKL = std::nullopt;
  std::vector<std::string> formats = {}, sites = {"weight"}, ties = {};
  bool keep = true;
  std::string metric = "forwardKL";
  double gamma = 1.10;
  /// Of the original model, where a CSV needs it.
  std::optional<double> perplexity = std::nullopt;

  static llvm::Expected<AssignRequest> parse(llvm::StringRef json);
};

/// Fails when there is no such rule, and lists those that there are.
llvm::Error checkRule(llvm::StringRef rule);

/// The choices that a request leaves.
llvm::Expected<AssignmentProblem> makeProblem(const AssignRequest &request);
llvm::Expected<Limits> makeLimits(const AssignRequest &request, const ModelSize &size);

llvm::Expected<Assignment> assign(const AssignRequest &request);

/// The front as JSON: {"model", "sites", "numPoints", "points": [{"bytes", "bitsPerWeight",
/// "predictedKL", "formats"}]}; the formats are in the order of the sites.
llvm::Expected<llvm::json::Value> computeFront(const AssignRequest &request, size_t maxPoints);

} // namespace ssmq

#endif // SSMQ_ASSIGN_REQUEST_H
