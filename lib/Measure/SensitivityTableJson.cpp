//===- SensitivityTableJson.cpp - The table as a document -----------------===//
//
// {"document": "ssmq-sensitivity", "version": 2, "run": {...}, "model": {...}, "sites": [...],
//  "rows": [{"site", "format", "bytes", "estimates": {...}, "sums": {"sequence": [...], ...}}],
//  "noiseFloor": [{"format", ...}]}
// Sums are columns: the k-th entry of each belongs to the k-th sequence. Estimates are for readers;
// they are taken from the sums again, and a file in which both differ is refused.
//
//===----------------------------------------------------------------------===//

#include "ssmq/Measure/SensitivityTable.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/JsonFields.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <set>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
namespace json = llvm::json;

static constexpr llvm::StringLiteral documentName = "ssmq-sensitivity";
static constexpr int64_t documentVersion = 2;

namespace {
struct EstimateField {
  llvm::StringLiteral name;
  Estimate DivergenceSummary::*member;
};
struct SiteField {
  llvm::StringLiteral name;
  int64_t SiteInfo::*member;
};
} // namespace

static constexpr EstimateField estimateFields[] = {
    {"forwardKL", &DivergenceSummary::forwardKL},
    {"reverseKL", &DivergenceSummary::reverseKL},
    {"meanSquaredError", &DivergenceSummary::meanSquaredError},
    {"signalToNoise", &DivergenceSummary::signalToNoise},
    {"crossEntropyChange", &DivergenceSummary::crossEntropyChange},
    {"perplexityChange", &DivergenceSummary::perplexityChange},
    {"crossEntropyCorrelation", &DivergenceSummary::crossEntropyCorrelation},
    {"probabilityChange", &DivergenceSummary::probabilityChange},
    {"rmsProbabilityChange", &DivergenceSummary::rmsProbabilityChange},
    {"sameTop1", &DivergenceSummary::sameTop1},
    {"teacherCrossEntropy", &DivergenceSummary::teacherCrossEntropy},
};
static constexpr SiteField siteFields[] = {
    {"rows", &SiteInfo::rows},
    {"columns", &SiteInfo::columns},
    {"elements", &SiteInfo::elements},
    {"baselineBytes", &SiteInfo::baselineBytes},
};

static json::Object writeEstimates(const DivergenceSummary &summary) {
  json::Object object{{"sequences", summary.numSequences}, {"positions", summary.numScored}};
  for (const EstimateField &field : estimateFields) {
    const Estimate &estimate = summary.*field.member;
    object[field.name] = json::Object{{"mean", finiteOrNull(estimate.mean)},
                                      {"standardError", finiteOrNull(estimate.standardError)}};
  }
  return object;
}

json::Value SensitivityTable::toJSON() const {
  json::Array siteList, rowList, noiseList;
  for (const SiteInfo &site : sites) {
    json::Object object{{"name", site.name}};
    for (const SiteField &field : siteFields)
      object[field.name] = site.*field.member;
    siteList.push_back(std::move(object));
  }
  for (auto row : getSorted()) {
    auto makeColumn = [&](auto get) {
      return json::Array(llvm::map_range(row->second.sequences, get));
    };
    json::Object sums{{"sequence", makeColumn([](auto &one) { return one.first; })}};
    for (const CountField &field : getCountFields())
      sums[field.name] = makeColumn([&](auto &one) { return one.second.*field.member; });
    for (const SumField &field : getSumFields())
      sums[field.name] = makeColumn([&](auto &one) { return one.second.*field.member; });
    SensitivityRow known = makeRow(row);
    json::Object object{{"format", known.candidate.format},
                        {"estimates", writeEstimates(known.estimate)},
                        {"sums", std::move(sums)}};
    if (row->first.first == sites.size()) {
      noiseList.push_back(std::move(object));
      continue;
    }
    object["site"] = known.candidate.site;
    object["bytes"] = known.bytes;
    rowList.push_back(std::move(object));
  }
  return json::Object{{"document", documentName},
                      {"version", documentVersion},
                      {"run", ssmq::toJSON(identity)},
                      {"model", json::Object{{"numParameters", size.numParameters},
                                             {"fixedBytes", size.fixedBytes}}},
                      {"sites", std::move(siteList)},
                      {"rows", std::move(rowList)},
                      {"noiseFloor", std::move(noiseList)}};
}

static Expected<std::vector<SiteInfo>> parseSites(const json::Array &list, llvm::StringRef where) {
  std::vector<SiteInfo> sites;
  std::set<std::string> names;
  for (auto [i, value] : llvm::enumerate(list)) {
    JsonFields fields(value, llvm::formatv("{0}: site {1}", where, i).str());
    SiteInfo &site = sites.emplace_back();
    site.name = fields.getString("name");
    for (const SiteField &field : siteFields)
      site.*field.member = fields.getCount(field.name);
    if (site.name == noiseFloorSite || !names.insert(site.name).second)
      fields.fail("the name " + quote(site.name) + " is taken");
    if (Error error = fields.takeError())
      return error;
  }
  return sites;
}

/// The k-th entry of each column.
static Expected<std::vector<SequenceRecord>>
parseSums(const json::Value &value, const Candidate &candidate, llvm::StringRef where) {
  JsonFields columns(value, where);
  std::vector<SequenceRecord> records(columns.getArray("sequence").size());
  auto readColumn = [&](llvm::StringRef name, auto set) {
    const json::Array &column = columns.getArray(name);
    if (column.size() != records.size())
      return columns.fail("the columns differ in length");
    for (auto [record, entry] : llvm::zip_equal(records, column))
      if (!set(record, entry))
        return columns.fail("an entry of " + quote(name) + " is no such number");
  };
  auto readCounts = [&](llvm::StringRef name, auto get) {
    readColumn(name, [&](SequenceRecord &record, const json::Value &entry) {
      std::optional<int64_t> count = entry.getAsInteger();
      get(record) = count.value_or(0);
      return count && *count >= 0;
    });
  };
  readCounts("sequence", [](SequenceRecord &record) -> int64_t & { return record.sequence; });
  for (const CountField &field : getCountFields())
    readCounts(field.name,
               [&](SequenceRecord &record) -> int64_t & { return record.sums.*field.member; });
  for (const SumField &field : getSumFields())
    readColumn(field.name, [&](SequenceRecord &record, const json::Value &entry) {
      std::optional<double> number = entry.getAsNumber();
      record.sums.*field.member = number.value_or(0);
      return number.has_value();
    });
  for (SequenceRecord &record : records)
    record.candidate = candidate;
  if (Error error = columns.takeError())
    return error;
  return records;
}

static bool agrees(const json::Value &stated, double computed) {
  if (!std::isfinite(computed))
    return stated.getAsNull().has_value();
  std::optional<double> number = stated.getAsNumber();
  return number && std::abs(*number - computed) <= 1e-9 * std::abs(computed);
}

static Error checkEstimates(const json::Value &value, const DivergenceSummary &summary,
                            llvm::StringRef where) {
  JsonFields estimates(value, where);
  for (const EstimateField &field : estimateFields) {
    JsonFields stated(estimates.getValue(field.name), where);
    const Estimate &computed = summary.*field.member;
    if (!agrees(stated.getValue("mean"), computed.mean) ||
        !agrees(stated.getValue("standardError"), computed.standardError))
      estimates.fail(field.name + " is not what the sums give; was the file edited?");
    if (Error error = stated.takeError())
      return error;
  }
  return estimates.takeError();
}

Expected<SensitivityTable> SensitivityTable::fromJSON(const json::Value &value,
                                                      llvm::StringRef where) {
  JsonFields fields(value, where);
  fields.expectDocument(documentName, documentVersion);
  JsonFields model(fields.getValue("model"), (where + ": model").str());
  ModelSize size{model.getCount("numParameters"), model.getCount("fixedBytes")};
  const json::Value &run = fields.getValue("run");
  const json::Array &siteList = fields.getArray("sites");
  const json::Array *lists[] = {&fields.getArray("rows"), &fields.getArray("noiseFloor")};
  if (Error error = fields.takeError())
    return error;
  if (Error error = model.takeError())
    return error;
  Expected<RunIdentity> identity = parseRunIdentity(run, (where + ": run").str());
  if (!identity)
    return identity.takeError();
  Expected<std::vector<SiteInfo>> sites = parseSites(siteList, where);
  if (!sites)
    return sites.takeError();

  SensitivityTable table(std::move(*identity), size, std::move(*sites));
  for (bool isNoise : {false, true})
    for (auto [i, rowValue] : llvm::enumerate(*lists[isNoise])) {
      std::string place = llvm::formatv("{0}: {1} {2}", where, isNoise ? "noise floor" : "row", i);
      JsonFields row(rowValue, place);
      Candidate candidate{isNoise ? noiseFloorSite.str() : row.getString("site"),
                          row.getString("format")};
      int64_t bytes = isNoise ? 0 : row.getCount("bytes");
      const json::Value &sums = row.getValue("sums"), &estimates = row.getValue("estimates");
      if (Error error = row.takeError())
        return error;
      if (!isNoise)
        if (Error error = table.addCandidate(candidate, bytes))
          return makeError("{0}: {1}", place, llvm::toString(std::move(error)));
      Expected<std::vector<SequenceRecord>> records = parseSums(sums, candidate, place);
      if (!records)
        return records.takeError();
      for (const SequenceRecord &record : *records)
        if (Error error = table.addRecord(record))
          return makeError("{0}: {1}", place, llvm::toString(std::move(error)));
      auto known =
          table.rows.find({table.siteIndices.find(candidate.site)->second, candidate.format});
      if (known == table.rows.end())
        continue; // a noise floor without records
      if (Error error = checkEstimates(estimates, table.makeRow(known).estimate, place))
        return error;
    }
  return table;
}

Error SensitivityTable::write(llvm::StringRef path) const { return writeJsonFile(path, toJSON()); }

Expected<SensitivityTable> SensitivityTable::read(llvm::StringRef path) {
  JsonOptions options;
  options.maxBytes = size_t(1) << 30;
  Expected<json::Value> value = readJsonFile(path, options);
  if (!value)
    return value.takeError();
  return fromJSON(*value, path);
}
