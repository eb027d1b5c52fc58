//===- SensitivityTableJson.cpp - The table as a document -----------------===//
//
// {"document": "ssmq-sensitivity", "version": 3, "run": {...}, "model": {...}, "sites": [...],
//  "rows": [{"site", "format", "bytes", "method", "estimates": {...},
//            "sums": {"sequence": [...], ...}, "localError": [...]}],
//  "noiseFloor": [{"format", ...}]}
// Sums are columns: the k-th entry of each belongs to the k-th measured sequence. Local errors have
// one entry a sequence of the run, null where it is not known, and are left out where none is; a
// site has a "cut" where its local errors are taken at one. A row that overflows has no sums and,
// as "unusable", the first sequence that it does so on; a reader that does not know the field finds
// a row that was not measured.
// Estimates and method are for readers; they are taken from the rest again, and a file in which
// both differ is refused.
//
//===----------------------------------------------------------------------===//

#include "ssmq/Measure/SensitivityTable.h"
#include "ssmq/Measure/SummaryJson.h"
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
static constexpr int64_t documentVersion = 3;
static constexpr llvm::StringLiteral cutName = "cut";
static constexpr llvm::StringLiteral unusableName = "unusable";

namespace {
struct SiteField {
  llvm::StringLiteral name;
  int64_t SiteInfo::*member;
};
/// What a file says of a row beyond its records.
struct StatedRow {
  Candidate candidate;
  std::string method;
  const json::Value *estimates;
  std::string where;
};
} // namespace

static constexpr SiteField siteFields[] = {
    {"rows", &SiteInfo::rows},
    {"columns", &SiteInfo::columns},
    {"elements", &SiteInfo::elements},
    {"baselineBytes", &SiteInfo::baselineBytes},
};

json::Value SensitivityTable::toJSON() const {
  json::Array siteList, rowList, noiseList;
  for (const SiteInfo &site : sites) {
    json::Object object{{"name", site.name}, {"kind", getName(site.kind)}};
    for (const SiteField &field : siteFields)
      object[field.name] = site.*field.member;
    if (site.cut)
      object[cutName] = *site.cut;
    siteList.push_back(std::move(object));
  }
  CutCells cuts = collectCutCells();
  for (auto row : getSorted()) {
    json::Array sequences;
    std::vector<DivergenceSums> measured;
    for (const auto &[sequence, cell] : row->second.cells)
      if (cell.sums) {
        sequences.push_back(sequence);
        measured.push_back(*cell.sums);
      }
    json::Object sums = makeColumns(measured);
    sums["sequence"] = std::move(sequences);
    SensitivityRow known = makeRow(row, cuts);
    json::Object object{{"format", known.candidate.format},
                        {"estimates", ssmq::toJSON(known.estimate)},
                        {"sums", std::move(sums)}};
    if (row->first.first == sites.size()) {
      noiseList.push_back(std::move(object));
      continue;
    }
    object["site"] = known.candidate.site;
    object["bytes"] = known.bytes;
    object["method"] = known.isPredicted ? "predicted" : "measured";
    if (row->second.unusableAt)
      object[unusableName] = *row->second.unusableAt;
    if (llvm::any_of(row->second.cells, [](auto &one) { return one.second.localError; })) {
      json::Array column;
      for (int64_t k = 0; k < identity.numSequences; ++k)
        column.push_back(nullptr);
      for (const auto &[sequence, cell] : row->second.cells)
        if (cell.localError)
          column[sequence] = *cell.localError;
      object["localError"] = std::move(column);
    }
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
    std::optional<SiteKind> kind = parseSiteKind(fields.getString("kind"));
    if (!kind)
      fields.fail("there is no such kind of site");
    site.kind = kind.value_or(SiteKind::Weight);
    for (const SiteField &field : siteFields)
      site.*field.member = fields.getCount(field.name);
    if (value.getAsObject() && value.getAsObject()->get(cutName))
      site.cut = fields.getCount(cutName);
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
  std::vector<SequenceRecord> records(columns.getArray("sequence").size(),
                                      {0, candidate, DivergenceSums()});
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
               [&](SequenceRecord &record) -> int64_t & { return (*record.sums).*field.member; });
  for (const SumField &field : getSumFields())
    readColumn(field.name, [&](SequenceRecord &record, const json::Value &entry) {
      std::optional<double> number = entry.getAsNumber();
      (*record.sums).*field.member = number.value_or(0);
      return number.has_value();
    });
  if (Error error = columns.takeError())
    return error;
  return records;
}

/// The entries of "localError" that are known.
static Error addLocalErrors(SensitivityTable &table, const json::Value &row,
                            const Candidate &candidate, llvm::StringRef where) {
  const json::Value *value = row.getAsObject()->get("localError");
  if (!value)
    return Error::success();
  const json::Array *column = value->getAsArray();
  if (!column || static_cast<int64_t>(column->size()) != table.getIdentity().numSequences)
    return makeError("{0}: localError has no entry for each sequence", where);
  for (auto [sequence, entry] : llvm::enumerate(*column)) {
    std::optional<double> error = entry.getAsNumber();
    if (!error && entry.getAsNull())
      continue;
    if (!error)
      return makeError("{0}: an entry of localError is no number", where);
    if (Error failed =
            table.addRecord({static_cast<int64_t>(sequence), candidate, std::nullopt, error}))
      return failed;
  }
  return Error::success();
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
  for (const EstimateField &field : getEstimateFields()) {
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
  std::vector<StatedRow> stated;
  for (bool isNoise : {false, true})
    for (auto [i, rowValue] : llvm::enumerate(*lists[isNoise])) {
      std::string place = llvm::formatv("{0}: {1} {2}", where, isNoise ? "noise floor" : "row", i);
      JsonFields row(rowValue, place);
      Candidate candidate{isNoise ? noiseFloorSite.str() : row.getString("site"),
                          row.getString("format")};
      int64_t bytes = isNoise ? 0 : row.getCount("bytes");
      const json::Value &sums = row.getValue("sums"), &estimates = row.getValue("estimates");
      std::string method = isNoise ? "" : row.getString("method");
      std::optional<int64_t> unusableAt;
      if (!isNoise && rowValue.getAsObject() && rowValue.getAsObject()->get(unusableName))
        unusableAt = row.getCount(unusableName);
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
      if (Error error = addLocalErrors(table, rowValue, candidate, place))
        return makeError("{0}: {1}", place, llvm::toString(std::move(error)));
      if (unusableAt)
        if (Error error = table.addRecord({*unusableAt, candidate, {}, {}, true}))
          return makeError("{0}: {1}", place, llvm::toString(std::move(error)));
      stated.push_back({candidate, std::move(method), &estimates, std::move(place)});
    }
  // A prediction needs all rows of its site and of the sites of its cut.
  CutCells cuts = table.collectCutCells();
  for (const StatedRow &one : stated) {
    auto known =
        table.rows.find({table.siteIndices.find(one.candidate.site)->second, one.candidate.format});
    if (known == table.rows.end())
      continue; // a noise floor without records
    SensitivityRow row = table.makeRow(known, cuts);
    if (!one.method.empty() && one.method != (row.isPredicted ? "predicted" : "measured"))
      return makeError("{0}: the row is not {1}", one.where, one.method);
    if (Error error = checkEstimates(*one.estimates, row.estimate, one.where))
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
