//===- SensitivityTable.cpp - What each candidate costs -------------------===//

#include "ssmq/Measure/SensitivityTable.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"

using namespace ssmq;
using llvm::Error;

bool SiteInfo::operator==(const SiteInfo &other) const {
  return name == other.name && kind == other.kind && rows == other.rows &&
         columns == other.columns && elements == other.elements &&
         baselineBytes == other.baselineBytes && cut == other.cut;
}

SensitivityTable::SensitivityTable(RunIdentity identity, ModelSize size,
                                   std::vector<SiteInfo> sites)
    : identity(std::move(identity)), size(size), sites(std::move(sites)) {
  for (auto [i, site] : llvm::enumerate(this->sites))
    siteIndices.try_emplace(site.name, i);
  siteIndices.try_emplace(noiseFloorSite.str(), this->sites.size());
}

llvm::StringRef SensitivityTable::getSiteName(size_t index) const {
  return index < sites.size() ? llvm::StringRef(sites[index].name)
                              : llvm::StringRef(noiseFloorSite);
}

Error SensitivityTable::addCandidate(const Candidate &candidate, int64_t bytes) {
  auto site = siteIndices.find(candidate.site);
  if (site == siteIndices.end() || site->second == sites.size())
    return makeError("{0} is no site of this model", quote(candidate.site));
  if (candidate.format.empty() || bytes < 0)
    return makeError("{0}: a candidate needs a format and 0 bytes or more", quote(candidate.site));
  auto [row, isNew] = rows.try_emplace({site->second, candidate.format}, RowData{bytes, {}});
  if (!isNew && row->second.bytes != bytes)
    return makeError("{0} as {1} has {2} bytes in one place and {3} in another",
                     quote(candidate.site), quote(candidate.format), row->second.bytes, bytes);
  return Error::success();
}

Error SensitivityTable::addRecord(const SequenceRecord &record) {
  std::string where = llvm::formatv("sequence {0} of {1} as {2}", record.sequence,
                                    quote(record.candidate.site), quote(record.candidate.format));
  if (Error error = checkRecord(record, where))
    return error;
  if (record.sequence < 0 || record.sequence >= identity.numSequences)
    return makeError("{0}: the run has {1} sequences", where, identity.numSequences);
  auto site = siteIndices.find(record.candidate.site);
  if (site == siteIndices.end())
    return makeError("{0}: no such site in this model", where);
  std::pair<size_t, std::string> key(site->second, record.candidate.format);
  auto row = site->second == sites.size() ? rows.try_emplace(key).first : rows.find(key);
  if (row == rows.end())
    return makeError("{0}: the format is no candidate of this run", where);
  RowData &data = row->second;
  if (record.isUnusable) {
    data.unusableAt = std::min(data.unusableAt.value_or(record.sequence), record.sequence);
    data.cells.clear();
  }
  if (data.unusableAt)
    return Error::success();
  Cell &cell = data.cells[record.sequence];
  auto take = [&](auto &known, const auto &found) -> Error {
    if (known && found && *known != *found)
      return makeError("{0}: two measurements contradict", where);
    if (found)
      known = found;
    return Error::success();
  };
  if (Error error = take(cell.sums, record.sums))
    return error;
  return take(cell.localError, record.localError);
}

Error SensitivityTable::merge(const SensitivityTable &other) {
  if (Error error = checkSameRun(identity, other.identity, "the table"))
    return error;
  if (size == other.size && sites == other.sites) {
    SensitivityTable result = *this;
    for (const auto &[key, row] : other.rows) {
      Candidate candidate{other.getSiteName(key.first).str(), key.second};
      if (key.first < sites.size())
        if (Error error = result.addCandidate(candidate, row.bytes))
          return error;
      for (const auto &[sequence, cell] : row.cells)
        if (Error error = result.addRecord({sequence, candidate, cell.sums, cell.localError}))
          return error;
      if (row.unusableAt)
        if (Error error = result.addRecord({*row.unusableAt, candidate, {}, {}, true}))
          return error;
    }
    *this = std::move(result);
    return Error::success();
  }
  return makeError("the tables list different sites; merge only what one model gave");
}

std::vector<SensitivityTable::Rows::const_iterator> SensitivityTable::getSorted() const {
  std::vector<Rows::const_iterator> sorted;
  for (auto row = rows.begin(); row != rows.end(); ++row)
    sorted.push_back(row);
  auto getKey = [](Rows::const_iterator row) {
    return std::tie(row->first.first, row->second.bytes, row->first.second);
  };
  llvm::sort(sorted, [&](auto a, auto b) { return getKey(a) < getKey(b); });
  return sorted;
}

SensitivityRow SensitivityTable::makeRow(Rows::const_iterator row, const CutCells &cuts) const {
  SensitivityRow result;
  result.candidate = {getSiteName(row->first.first).str(), row->first.second};
  result.bytes = row->second.bytes;
  llvm::SmallVector<DivergenceSums> sums;
  for (const auto &[sequence, cell] : row->second.cells)
    if (cell.sums)
      sums.push_back(*cell.sums);
  result.isUnusable = row->second.unusableAt.has_value();
  std::optional<PredictedRow> predicted;
  if (!result.isUnusable && static_cast<int64_t>(sums.size()) < identity.numSequences)
    predicted = predict(row, cuts);
  result.isPredicted = predicted.has_value();
  result.estimate =
      predicted ? summarize(*predicted, identity.vocabSize) : summarize(sums, identity.vocabSize);
  return result;
}

SiteCells SensitivityTable::collectCells(size_t site) const {
  auto first = rows.lower_bound({site, ""}), last = rows.lower_bound({site + 1, ""});
  SiteCells cells(std::distance(first, last), identity.numSequences);
  size_t format = 0;
  for (auto row = first; row != last; ++row, ++format)
    for (const auto &[sequence, cell] : row->second.cells)
      cells.at(format, sequence) = cell;
  auto noise = rows.find({sites.size(), bfloatChange.str()});
  if (noise != rows.end())
    for (const auto &[sequence, cell] : noise->second.cells)
      cells.setLogScale(sequence, getLogScale(*cell.sums));
  return cells;
}

SensitivityTable::CutCells SensitivityTable::collectCutCells() const {
  CutCells cuts;
  for (const auto &[key, row] : rows)
    for (const auto &[sequence, cell] : row.cells)
      if (cell.sums)
        cuts.numScored[sequence] = cell.sums->numScored;
  cuts.isEachSequenceKnown = static_cast<int64_t>(cuts.numScored.size()) >= identity.numSequences;
  if (!cuts.isEachSequenceKnown)
    return cuts;
  for (auto [i, site] : llvm::enumerate(sites))
    if (site.cut)
      cuts.siblings[{site.kind, *site.cut}].push_back(
          &cuts.sites.try_emplace(i, collectCells(i)).first->second);
  cuts.cutError = estimateCutError(llvm::to_vector(llvm::make_second_range(cuts.siblings)));
  return cuts;
}

std::optional<PredictedRow> SensitivityTable::predict(Rows::const_iterator row,
                                                      const CutCells &cuts) const {
  size_t site = row->first.first;
  if (!cuts.isEachSequenceKnown || site == sites.size())
    return std::nullopt;
  size_t format = std::distance(rows.lower_bound({site, ""}), row);
  auto scored = llvm::to_vector(llvm::make_second_range(cuts.numScored));
  if (!sites[site].cut)
    return predictRow(collectCells(site), format, scored);
  return predictRow(cuts.sites.at(site), format, scored,
                    cuts.siblings.at({sites[site].kind, *sites[site].cut}), cuts.cutError);
}

std::vector<SensitivityRow> SensitivityTable::getRows() const {
  std::vector<SensitivityRow> result;
  CutCells cuts = collectCutCells();
  for (auto row : getSorted())
    if (row->first.first < sites.size())
      result.push_back(makeRow(row, cuts));
  return result;
}

std::vector<SensitivityRow> SensitivityTable::getNoiseFloor() const {
  std::vector<SensitivityRow> result;
  CutCells cuts = collectCutCells();
  for (auto row : getSorted())
    if (row->first.first == sites.size())
      result.push_back(makeRow(row, cuts));
  return result;
}

std::vector<SequenceRecord> SensitivityTable::getRecords() const {
  std::vector<SequenceRecord> records;
  for (auto row : getSorted()) {
    Candidate candidate{getSiteName(row->first.first).str(), row->first.second};
    for (const auto &[sequence, cell] : row->second.cells)
      records.push_back({sequence, candidate, cell.sums, cell.localError});
    if (row->second.unusableAt)
      records.push_back({*row->second.unusableAt, candidate, {}, {}, true});
  }
  return records;
}
