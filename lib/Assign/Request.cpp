//===- Request.cpp - An assignment as people ask for it -------------------===//

#include "ssmq/Assign/Request.h"

#include "ssmq/Assign/Budget.h"
#include "ssmq/Assign/CostTable.h"
#include "ssmq/Assign/ForeignTable.h"
#include "ssmq/Assign/Greedy.h"
#include "ssmq/Assign/KLRules.h"
#include "ssmq/Assign/Ties.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Json.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
namespace json = llvm::json;

static constexpr llvm::StringLiteral rulePrefix = "kl-mpq-";

static bool isPublished(llvm::StringRef rule) { return rule.starts_with(rulePrefix); }

/// 5 of "p05".
static std::optional<int> parsePoint(llvm::StringRef name) {
  int point = 0;
  if (name.size() != 3 || !name.consume_front("p") || name.getAsInteger(10, point) || point < 1 ||
      point > 10)
    return std::nullopt;
  return point;
}

Error ssmq::checkRule(llvm::StringRef rule) {
  llvm::StringRef name = rule;
  if (rule == "optimal" || rule == "greedy" ||
      (name.consume_front(rulePrefix) &&
       (name == "greedy" || name == "greedy-fixed" || parsePoint(name))))
    return Error::success();
  return makeError("the rule {0} is not known; take optimal, greedy, kl-mpq-p01 .. kl-mpq-p10, "
                   "kl-mpq-greedy or kl-mpq-greedy-fixed",
                   quote(rule));
}

static void readPositive(JsonReader &reader, llvm::StringRef key, std::optional<double> &number) {
  double value = 0;
  if (reader.isMissingOrNull(key))
    return;
  reader.read(key, value, 0, 1e15);
  number = value;
}

Expected<AssignRequest> AssignRequest::parse(llvm::StringRef text) {
  Expected<json::Value> value = parseJson(text, "request");
  if (!value)
    return value.takeError();
  AssignRequest request;
  JsonReader reader(*value, "request");
  static const llvm::StringSet<> known = {"table",       "rule",
                                          "budgets",     "memory",
                                          "costs",       "siteKL",
                                          "cacheTokens", "decodeMilliseconds",
                                          "formats",     "prefillMilliseconds",
                                          "sites",       "ties",
                                          "keep",        "gamma",
                                          "perplexity",  "metric"};
  if (const json::Object *object = value->getAsObject())
    for (const auto &member : *object)
      if (!known.contains(member.first))
        reader.fail(member.first, "is not known");
  reader.read("table", request.table);
  reader.read("rule", request.rule);
  reader.read("budgets", request.budgets);
  reader.read("memory", request.memory);
  reader.read("costs", request.costs);
  reader.read("cacheTokens", request.cacheTokens, 1, int64_t(1) << 40);
  readPositive(reader, "decodeMilliseconds", request.decodeMilliseconds);
  readPositive(reader, "prefillMilliseconds", request.prefillMilliseconds);
  readPositive(reader, "siteKL", request.siteKL);
  reader.read("formats", request.formats);
  reader.read("sites", request.sites);
  reader.read("ties", request.ties);
  reader.read("keep", request.keep);
  reader.read("metric", request.metric);
  reader.read("gamma", request.gamma, 0, 1e15);
  readPositive(reader, "perplexity", request.perplexity);
  if (Error error = reader.takeError())
    return error;
  return request;
}

static Expected<std::vector<SiteKind>> parseKinds(llvm::ArrayRef<std::string> names) {
  std::vector<SiteKind> kinds;
  for (llvm::StringRef name : names) {
    if (name == "all") {
      llvm::append_range(kinds, allSiteKinds);
      continue;
    }
    std::optional<SiteKind> kind = parseSiteKind(name);
    if (!kind)
      return makeError("the kind of site {0} is not known; take weight, norm, activation, "
                       "parameter, state, cache or all",
                       quote(name));
    kinds.push_back(*kind);
  }
  return kinds;
}

/// As tables spell formats. What is no format of ours may be one of a foreign table.
static std::vector<std::string> spell(llvm::ArrayRef<std::string> formats) {
  std::vector<std::string> spellings;
  for (const std::string &format : formats) {
    Expected<std::shared_ptr<const Format>> parsed = parseFormat(format);
    spellings.push_back(parsed ? (*parsed)->getSpelling() : format);
    if (!parsed)
      llvm::consumeError(parsed.takeError());
  }
  return spellings;
}

static Expected<AssignmentProblem> readTable(const AssignRequest &request) {
  std::optional<CostMetric> metric = parseCostMetric(request.metric);
  if (!metric)
    return makeError("the metric {0} is not known; take forwardKL, reverseKL, meanSquaredError or "
                     "signalToNoise",
                     quote(request.metric));
  bool isKL = metric == CostMetric::ForwardKL;
  if (!isKL && (isCsv(request.table) || request.siteKL))
    return makeError("the metric {0} needs a table of `ssmq measure`, and no limit on KL",
                     request.metric);
  if (isCsv(request.table)) {
    ForeignOptions options;
    // Only the published rules need to keep sites; to others sizes matter more.
    options.allowKeep = request.keep && isPublished(request.rule);
    options.formats = request.formats;
    options.perplexity = request.perplexity;
    return readForeignTable(request.table, options);
  }
  ChoiceOptions options;
  options.allowKeep = request.keep;
  options.formats = spell(request.formats);
  options.cacheTokens = request.cacheTokens;
  options.metric = *metric;
  Expected<std::vector<SiteKind>> kinds = parseKinds(request.sites);
  if (!kinds)
    return kinds.takeError();
  options.kinds = std::move(*kinds);
  Expected<SensitivityTable> table = SensitivityTable::read(request.table);
  if (!table)
    return table.takeError();
  return makeProblem(*table, options);
}

Expected<AssignmentProblem> ssmq::makeProblem(const AssignRequest &request) {
  if (request.table.empty())
    return makeError("there is no table to choose from; name one that `ssmq measure` wrote");
  Expected<AssignmentProblem> problem = readTable(request);
  if (!problem)
    return problem.takeError();
  if (!request.costs.empty()) {
    Expected<CostTable> costs = CostTable::read(request.costs);
    if (!costs)
      return costs.takeError();
    if (Error error = costs->apply(*problem))
      return error;
  }
  if (Error error = tieSites(*problem, request.ties))
    return error;
  return problem;
}

Expected<Limits> ssmq::makeLimits(const AssignRequest &request, const ModelSize &size) {
  Limits limits;
  auto parse = [&](llvm::StringRef text, std::optional<int64_t> &bytes) -> Error {
    Expected<Budget> budget = Budget::parse(text);
    if (!budget)
      return budget.takeError();
    bytes = std::min(bytes.value_or(std::numeric_limits<int64_t>::max()), budget->getBytes(size));
    return Error::success();
  };
  for (const std::string &budget : request.budgets)
    if (Error error = parse(budget, limits.storedBytes))
      return error;
  if (!request.memory.empty())
    if (Error error = parse(request.memory, limits.memoryBytes))
      return error;
  constexpr double nanoseconds = 1e6;
  if (request.decodeMilliseconds)
    limits.decodeNanoseconds = *request.decodeMilliseconds * nanoseconds;
  if (request.prefillMilliseconds)
    limits.prefillNanoseconds = *request.prefillMilliseconds * nanoseconds;
  limits.siteKL = request.siteKL;
  return limits;
}

static bool hasLimits(const Limits &limits) {
  return limits.storedBytes || limits.memoryBytes || limits.decodeNanoseconds ||
         limits.prefillNanoseconds || limits.siteKL;
}

static Expected<Assignment> assignGreedily(const AssignmentProblem &problem, const Limits &limits) {
  if (!limits.storedBytes || !problem.hasSizes || limits.memoryBytes || limits.decodeNanoseconds ||
      limits.prefillNanoseconds || limits.siteKL)
    return makeError("the rule greedy takes a budget of stored bytes and no other; take the rule "
                     "optimal");
  return assignGreedy(problem, *limits.storedBytes);
}

static Expected<Assignment> assignAsPublished(const AssignmentProblem &problem,
                                              const AssignRequest &request) {
  llvm::StringRef name = llvm::StringRef(request.rule).drop_front(rulePrefix.size());
  if (std::optional<int> point = parsePoint(name))
    return assignByCut(problem, *point);
  return assignByPerplexity(problem, {request.gamma, /*compounding=*/name == "greedy"});
}

static Expected<Assignment> choose(const AssignRequest &request) {
  // Mistakes in the request come before a long table is read.
  if (Expected<Limits> limits = makeLimits(request, {}); !limits)
    return limits.takeError();
  Expected<AssignmentProblem> problem = makeProblem(request);
  if (!problem)
    return problem.takeError();
  Expected<Limits> limits = makeLimits(request, problem->size);
  if (!limits)
    return limits.takeError();
  if (isPublished(request.rule)) {
    if (hasLimits(*limits))
      return makeError("{0} takes no budget; leave it out, or take the rule optimal", request.rule);
    return assignAsPublished(*problem, request);
  }
  if (!hasLimits(*limits))
    return makeError("there is no budget; name one, such as 4.5bpw or 3MB");
  std::string suffix;
  for (const std::string &budget : request.budgets)
    suffix += " " + budget;
  Expected<Assignment> result = request.rule == "greedy" ? assignGreedily(*problem, *limits)
                                                         : assignOptimal(*problem, *limits);
  if (result)
    result->method += suffix;
  return result;
}

Expected<Assignment> ssmq::assign(const AssignRequest &request) {
  if (Error error = checkRule(request.rule))
    return error;
  Expected<Assignment> result = choose(request);
  if (result && request.metric != "forwardKL") {
    result->method += " by " + request.metric;
    result->report.predictedKL = result->report.lowerBoundKL =
        std::numeric_limits<double>::quiet_NaN();
  }
  return result;
}

Expected<json::Value> ssmq::computeFront(const AssignRequest &request, size_t maxPoints) {
  if (request.metric != "forwardKL")
    return makeError("a front is of KL(p||q); leave the metric out");
  Expected<AssignmentProblem> problem = makeProblem(request);
  if (!problem)
    return problem.takeError();
  if (request.siteKL)
    if (Error error = applyCeiling(*problem, *request.siteKL))
      return error;
  Expected<ParetoFront> front = computeFront(*problem, maxPoints);
  if (!front)
    return front.takeError();
  json::Array sites, points;
  for (const SiteChoices &site : problem->sites)
    sites.push_back(site.site);
  for (const ParetoPoint &point : front->points) {
    json::Array formats;
    for (auto [site, choice] : llvm::zip_equal(problem->sites, point.choices))
      formats.push_back(site.choices[choice].format);
    points.push_back(json::Object{{"bytes", point.totalBytes},
                                  {"bitsPerWeight", point.bitsPerWeight},
                                  {"predictedKL", point.predictedKL},
                                  {"formats", std::move(formats)}});
  }
  json::Value count(nullptr);
  if (front->numPoints)
    count = static_cast<int64_t>(*front->numPoints);
  return json::Object{{"model", problem->model},
                      {"sites", std::move(sites)},
                      {"numPoints", std::move(count)},
                      {"points", std::move(points)}};
}
