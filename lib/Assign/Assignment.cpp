//===- Assignment.cpp - One format a site ---------------------------------===//

#include "ssmq/Assign/Assignment.h"

#include "ssmq/Assign/Budget.h"
#include "ssmq/Measure/SummaryJson.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/JsonFields.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>
#include <limits>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
namespace json = llvm::json;

static constexpr llvm::StringLiteral documentName = "ssmq-assignment";
static constexpr int64_t documentVersion = 1;

std::optional<llvm::StringRef> Assignment::find(llvm::StringRef site) const {
  for (const SiteFormat &one : sites)
    if (one.site == site)
      return llvm::StringRef(one.format);
  return std::nullopt;
}

Assignment ssmq::makeAssignment(const AssignmentProblem &problem, llvm::ArrayRef<size_t> choices,
                                llvm::StringRef method) {
  Assignment result;
  result.model = problem.model;
  result.checkpoint = problem.checkpoint;
  result.method = method.str();
  result.report.totalBytes = problem.size.fixedBytes;
  result.report.lowerBoundKL = std::numeric_limits<double>::quiet_NaN();
  int64_t runtimeBytes = problem.rest.runtimeBytes, transientBytes = problem.rest.transientBytes;
  double decode = problem.rest.decodeNanoseconds, prefill = problem.rest.prefillNanoseconds;
  for (auto [site, index] : llvm::zip_equal(problem.sites, choices)) {
    const Choice &choice = site.choices[index];
    if (site.members.empty())
      result.sites.push_back({site.site, choice.format});
    for (const std::string &member : site.members)
      result.sites.push_back({member, choice.format});
    result.report.totalBytes += choice.bytes;
    runtimeBytes += choice.runtimeBytes;
    transientBytes = std::max(transientBytes, choice.transientBytes);
    decode += choice.decodeNanoseconds;
    prefill += choice.prefillNanoseconds;
    result.report.predictedKL += std::max(0.0, choice.cost);
  }
  result.report.bitsPerWeight = getBitsPerWeight(result.report.totalBytes, problem.size);
  if (problem.hasSizes)
    result.report.memoryBytes = result.report.totalBytes + runtimeBytes + transientBytes;
  else
    result.report.totalBytes = 0;
  if (problem.hasTimes) {
    result.report.decodeNanoseconds = decode;
    result.report.prefillNanoseconds = prefill;
  }
  return result;
}

static json::Value describe(const MixTrial &trial) {
  return json::Object{{"name", trial.name},
                      {"round", trial.round},
                      {"totalBytes", trial.totalBytes},
                      {"bitsPerWeight", finiteOrNull(trial.bitsPerWeight)},
                      {"predictedKL", finiteOrNull(trial.predictedKL)},
                      {"measuredKL", ssmq::toJSON(trial.measuredKL)},
                      {"moreThanChosen", ssmq::toJSON(trial.moreThanChosen)}};
}

json::Value Assignment::toJSON() const {
  json::Array list;
  for (const SiteFormat &one : sites) {
    json::Object described{{"site", one.site}, {"format", one.format}};
    if (!one.bounds.empty())
      described["bounds"] =
          json::Array(llvm::map_range(one.bounds, [](float x) -> double { return x; }));
    list.push_back(std::move(described));
  }
  const bool hasSize = report.totalBytes > 0;
  json::Object stated{{"totalBytes", hasSize ? json::Value(report.totalBytes) : nullptr},
                      {"bitsPerWeight", hasSize ? finiteOrNull(report.bitsPerWeight) : nullptr},
                      {"predictedKL", finiteOrNull(report.predictedKL)},
                      {"lowerBoundKL", finiteOrNull(report.lowerBoundKL)},
                      {"numFallbacks", report.numFallbacks}};
  if (report.memoryBytes)
    stated["memoryBytes"] = report.memoryBytes;
  if (std::isfinite(report.decodeNanoseconds)) {
    stated["decodeNanoseconds"] = report.decodeNanoseconds;
    stated["prefillNanosecondsPerToken"] = report.prefillNanoseconds;
  }
  if (!report.trials.empty()) {
    stated["measuredKL"] = finiteOrNull(report.measuredKL);
    stated["measuredKLError"] = finiteOrNull(report.measuredKLError);
    json::Array trials;
    for (const MixTrial &trial : report.trials)
      trials.push_back(describe(trial));
    stated["trials"] = std::move(trials);
    if (!report.note.empty())
      stated["note"] = report.note;
  }
  return json::Object{{"document", documentName}, {"version", documentVersion},
                      {"model", model},           {"checkpoint", checkpoint},
                      {"method", method},         {"report", std::move(stated)},
                      {"sites", std::move(list)}};
}

Error Assignment::write(llvm::StringRef path) const { return writeJsonFile(path, toJSON()); }

/// What is known of the divergence; sizes are counted again where the assignment is applied.
static void readReport(const json::Object &stated, AssignmentReport &report) {
  auto read = [&](llvm::StringRef key) {
    return stated.getNumber(key).value_or(std::numeric_limits<double>::quiet_NaN());
  };
  report.predictedKL = read("predictedKL");
  report.lowerBoundKL = read("lowerBoundKL");
}

/// Low and high of ranges around zero. How many there must be is known with the site.
static std::vector<float> readBounds(JsonFields &site) {
  std::vector<float> bounds;
  for (const json::Value &entry : site.getArray("bounds")) {
    std::optional<double> number = entry.getAsNumber();
    float bound = number ? static_cast<float>(*number) : std::numeric_limits<float>::quiet_NaN();
    if (!std::isfinite(bound))
      site.fail("key 'bounds' must hold numbers that f32 can hold");
    bounds.push_back(bound);
  }
  return bounds;
}

Expected<Assignment> Assignment::read(llvm::StringRef path) {
  Expected<json::Value> value = readJsonFile(path);
  if (!value)
    return value.takeError();
  JsonFields fields(*value, path);
  fields.expectDocument(documentName, documentVersion);
  Assignment result;
  result.report.predictedKL = std::numeric_limits<double>::quiet_NaN();
  result.model = fields.getString("model");
  result.checkpoint = fields.getString("checkpoint");
  result.method = fields.getString("method");
  llvm::StringSet<> seen;
  for (auto [i, entry] : llvm::enumerate(fields.getArray("sites"))) {
    JsonFields site(entry, llvm::formatv("{0}: site {1}", path, i).str());
    SiteFormat &one = result.sites.emplace_back();
    one.site = site.getString("site");
    one.format = site.getString("format");
    if (const json::Object *object = entry.getAsObject(); object && object->get("bounds"))
      one.bounds = readBounds(site);
    if (!seen.insert(one.site).second)
      site.fail(quote(one.site) + " has a format already");
    if (Error error = site.takeError())
      return error;
  }
  if (Error error = fields.takeError())
    return error;
  if (const json::Value *report = value->getAsObject()->get("report");
      report && report->getAsObject())
    readReport(*report->getAsObject(), result.report);
  return result;
}
