//===- SensitivityTable.h - What each candidate costs -----------*- C++ -*-===//
//
// Candidate (site, format) -> bytes and divergence from the teacher when this site alone is stored
// in that format, each estimate with its standard error over sequences. The table keeps the sums of
// each sequence, so that tables of several processes merge exactly: the result does not depend on
// their number or order. A record that comes twice counts once; one that contradicts is an error.
//
// Rows whose sequences were not all measured are predicted from what was (Prediction.h); where that
// is not possible, as in a sweep that was cut, the estimate says of how many sequences it is. Rows
// are ordered by site (the model's order), bytes, spelling.
//
// A candidate that overflows on one sequence is of no use: its row says so, has no estimate, and
// keeps nothing that was measured before, so that it does not depend on what came first.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_SENSITIVITYTABLE_H
#define SSMQ_MEASURE_SENSITIVITYTABLE_H

#include "ssmq/Formats/ValueLayout.h"
#include "ssmq/Measure/DivergenceSummary.h"
#include "ssmq/Measure/Prediction.h"
#include "ssmq/Measure/SequenceRecord.h"
#include <map>

namespace ssmq {

struct SiteInfo {
  std::string name;
  SiteKind kind = SiteKind::Weight;
  /// The matrix that formats see; no rows where they are tokens.
  int64_t rows = 0, columns = 0;
  /// Of activations and caches for one token.
  int64_t elements = 0;
  /// As the program stores it without quantization.
  int64_t baselineBytes = 0;
  /// Sites with the same number change the same value of the residual stream, at which their local
  /// errors are taken; those of other sites are taken at the ops that use them.
  std::optional<int64_t> cut = std::nullopt;

  bool operator==(const SiteInfo &other) const;
};

struct ModelSize {
  /// All parameters of the model, at sites and elsewhere; a tied weight counts once.
  int64_t numParameters = 0;
  /// Stored bytes of the parameters that are at no weight site.
  int64_t fixedBytes = 0;

  bool operator==(const ModelSize &other) const {
    return numParameters == other.numParameters && fixedBytes == other.fixedBytes;
  }
};

struct SensitivityRow {
  Candidate candidate;
  /// 0 in the noise floor; for one token in activations and caches.
  int64_t bytes = 0;
  bool isPredicted = false;
  /// Its estimates are NaN.
  bool isUnusable = false;
  DivergenceSummary estimate;
};

class SensitivityTable {
public:
  SensitivityTable(RunIdentity identity, ModelSize size, std::vector<SiteInfo> sites);

  /// Declares a candidate and its stored bytes, scales included. Fails on an unknown site and when
  /// the bytes contradict.
  llvm::Error addCandidate(const Candidate &candidate, int64_t bytes);
  /// Takes a record of a declared candidate, or of noiseFloorSite.
  llvm::Error addRecord(const SequenceRecord &record);
  /// Takes all of a table of the same run and sites. Unchanged when that fails.
  llvm::Error merge(const SensitivityTable &other);

  const RunIdentity &getIdentity() const { return identity; }
  const ModelSize &getModelSize() const { return size; }
  llvm::ArrayRef<SiteInfo> getSites() const { return sites; }
  /// Declared candidates; the estimates of those without records are NaN.
  std::vector<SensitivityRow> getRows() const;
  std::vector<SensitivityRow> getNoiseFloor() const;
  /// In the order of getRows, then of sequences; the noise floor last.
  std::vector<SequenceRecord> getRecords() const;

  /// The document: equal tables give equal bytes.
  llvm::json::Value toJSON() const;
  static llvm::Expected<SensitivityTable> fromJSON(const llvm::json::Value &value,
                                                   llvm::StringRef where);
  llvm::Error write(llvm::StringRef path) const;
  static llvm::Expected<SensitivityTable> read(llvm::StringRef path);

private:
  struct RowData {
    int64_t bytes = 0;
    std::map<int64_t, Cell> cells;
    /// The first sequence that it is known to overflow on; it then has no cells.
    std::optional<int64_t> unusableAt = std::nullopt;
  };
  using Rows = std::map<std::pair<size_t, std::string>, RowData>;

  /// What predictions of sites with a cut are made from.
  struct CutCells {
    std::map<size_t, SiteCells> sites;
    /// By kind and cut.
    std::map<std::pair<SiteKind, int64_t>, std::vector<const SiteCells *>> siblings;
    double cutError = priorCutError;
    /// Positions of the sequences of which a record is known.
    std::map<int64_t, int64_t> numScored;
    /// Whether there is one of each: only then what a file says of their number is believed.
    bool isEachSequenceKnown = false;
  };

  std::vector<Rows::const_iterator> getSorted() const;
  SiteCells collectCells(size_t site) const;
  CutCells collectCutCells() const;
  SensitivityRow makeRow(Rows::const_iterator row, const CutCells &cuts) const;
  std::optional<PredictedRow> predict(Rows::const_iterator row, const CutCells &cuts) const;
  llvm::StringRef getSiteName(size_t index) const;

  RunIdentity identity;
  ModelSize size;
  std::vector<SiteInfo> sites;
  std::map<std::string, size_t, std::less<>> siteIndices;
  /// By index of the site (that after the last stands for the noise floor) and format.
  Rows rows;
};

} // namespace ssmq

#endif // SSMQ_MEASURE_SENSITIVITYTABLE_H
