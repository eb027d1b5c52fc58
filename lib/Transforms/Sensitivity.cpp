//===- Sensitivity.cpp - Measure each format at each weight ---------------===//

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/SensitivitySweep.h"
#include "ssmq/Assign/Budget.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Measure/Journal.h"
#include "ssmq/Measure/SensitivityTable.h"
#include "ssmq/Support/Json.h"
#include "ssmq/Support/Progress.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/xxhash.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_SENSITIVITYPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Candidate;
using ::ssmq::Journal;
using ::ssmq::RunIdentity;
using ::ssmq::SensitivityTable;
using ::ssmq::SequenceRecord;
using ::ssmq::WeightStore;

static constexpr llvm::StringLiteral kDefaultFormats[] = {
    "i4 sym per_channel", "i4 sym group=32", "i4 sym group=64", "i4 sym group=128",
    "i8 sym per_channel", "i8 sym group=32", "i8 sym group=64", "i8 sym group=128"};

static std::string toHex(uint64_t hash) { return llvm::formatv("{0:x-16}", hash); }

/// Of the names and bytes of all weights.
static Expected<std::string> hashWeights(const WeightStore &store) {
  uint64_t hash = 0;
  for (StringRef name : store.getNames()) {
    Expected<::ssmq::Tensor> weight = store.lookup(name);
    if (!weight)
      return weight.takeError();
    ArrayRef<uint8_t> bytes(static_cast<const uint8_t *>(weight->getRawData()),
                            weight->getNumBytes());
    uint64_t parts[] = {hash, llvm::xxh3_64bits(name), llvm::xxh3_64bits(bytes)};
    hash = llvm::xxh3_64bits(
        ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(parts), sizeof(parts)));
  }
  return toHex(hash);
}

namespace {

class SensitivityPass : public mlir::ssm::impl::SensitivityPassBase<SensitivityPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  /// Everything below reports its faults by an Error, which runOnOperation emits at the module.
  Expected<SensitivityTable> measure(std::shared_ptr<const WeightStore> store);
  Expected<SweepOptions> makeOptions() const;
  Expected<RunIdentity> identify(const WeightStore &store, ArrayRef<int32_t> ids, int64_t sequences,
                                 int64_t vocabSize) const;
  Error sweep(const InterpreterProgram &program, ArrayRef<Site> sites,
              ArrayRef<ArrayRef<int32_t>> sequences, const SweepOptions &options,
              SensitivityTable &table);
  void emitRemarks(ArrayRef<Site> sites, const SensitivityTable &table);
};

} // namespace

Expected<SweepOptions> SensitivityPass::makeOptions() const {
  SweepOptions options;
  options.threads = threads ? threads : llvm::hardware_concurrency().compute_thread_count();
  auto add = [&](StringRef spelling) -> Error {
    auto format = ::ssmq::parseFormat(spelling);
    if (!format)
      return format.takeError();
    options.formats.push_back(*format);
    return Error::success();
  };
  for (const std::string &spelling : formats)
    if (Error error = add(spelling))
      return std::move(error);
  if (formats.empty())
    for (StringRef spelling : kDefaultFormats)
      if (Error error = add(spelling))
        return std::move(error);
  return options;
}

Expected<RunIdentity> SensitivityPass::identify(const WeightStore &store, ArrayRef<int32_t> ids,
                                                int64_t sequences, int64_t vocabSize) const {
  Expected<std::string> hash = hashWeights(store);
  if (!hash)
    return hash.takeError();
  RunIdentity identity;
  StringRef path = store.getFiles().front().getPath();
  identity.model = llvm::sys::path::filename(llvm::sys::path::parent_path(path)).str();
  identity.checkpoint = *hash;
  identity.calibration = llvm::sys::path::filename(tokens).str();
  identity.calibrationDigest = toHex(llvm::xxh3_64bits(ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(ids.data()), ids.size() * sizeof(int32_t))));
  identity.formatSet = ::ssmq::formatNumericsVersion.str();
  identity.sequenceLength = sequenceLength;
  identity.numSequences = sequences;
  identity.vocabSize = vocabSize;
  return identity;
}

Error SensitivityPass::sweep(const InterpreterProgram &program, ArrayRef<Site> sites,
                             ArrayRef<ArrayRef<int32_t>> sequences, const SweepOptions &options,
                             SensitivityTable &table) {
  std::unique_ptr<Journal> kept;
  if (!journal.empty()) {
    Expected<std::unique_ptr<Journal>> opened = Journal::open(journal, table.getIdentity());
    if (!opened)
      return opened.takeError();
    kept = std::move(*opened);
    if (!kept->getNote().empty())
      getOperation().emitRemark() << kept->getNote();
    for (const SequenceRecord &record : kept->getRecords())
      if (Error error = table.addRecord(record))
        return error;
  }
  auto isDone = [&](int64_t sequence, const Candidate &candidate) {
    return kept && kept->completed(sequence, candidate.site, candidate.format);
  };
  int64_t total = listCandidates(sites, options).size() * sequences.size();
  ::ssmq::Progress progress("sensitivity", total, kept ? kept->getRecords().size() : 0);
  std::mutex mutex;
  auto add = [&](const SequenceRecord &record) -> Error {
    progress.advance();
    if (kept)
      if (Error error = kept->append(record))
        return error;
    std::lock_guard<std::mutex> lock(mutex);
    return table.addRecord(record);
  };
  for (auto [index, sequence] : llvm::enumerate(sequences)) {
    if (Error error = sweepSequence(program, sites, sequence, index, options, {isDone, add}))
      return error;
    if (kept)
      if (Error error = kept->sync())
        return error;
  }
  return Error::success();
}

Expected<SensitivityTable> SensitivityPass::measure(std::shared_ptr<const WeightStore> store) {
  ModuleOp module = getOperation();
  Expected<SweepOptions> options = makeOptions();
  if (!options)
    return options.takeError();
  if (tokens.empty() || output.empty())
    return llvm::createStringError("ssmq-sensitivity needs tokens=FILE and output=FILE");
  if (sequenceLength < 2 || numSequences < 0)
    return llvm::createStringError("sequence-length must be 2 or more, num-sequences 0 or more");
  Expected<std::vector<int32_t>> ids = ::ssmq::readTokenFile(tokens);
  if (!ids)
    return ids.takeError();
  SmallVector<ArrayRef<int32_t>> sequences = cutSequences(*ids, sequenceLength);
  if (numSequences > 0 && static_cast<int64_t>(sequences.size()) > numSequences)
    sequences.resize(numSequences);
  if (sequences.empty())
    return llvm::createStringError("'" + tokens + "' holds " + llvm::Twine(ids->size()) +
                                   " tokens; calibration needs at least 2");
  SmallVector<Site> sites = findSites(module, ::ssmq::SiteKind::Weight);
  if (sites.empty())
    return llvm::createStringError("the module has no weight that could be quantized");

  auto lookup = [store](StringRef name) { return store->lookup(name); };
  FailureOr<std::unique_ptr<InterpreterProgram>> program =
      InterpreterProgram::create(module, lookup, {});
  if (failed(program))
    return llvm::createStringError("the interpreter cannot run this module");
  Expected<RunIdentity> identity =
      identify(*store, *ids, sequences.size(), (*program)->getVocabSize());
  if (!identity)
    return identity.takeError();

  WeightTotals totals = getWeightTotals(module);
  ::ssmq::ModelSize size{totals.numElements, totals.numBytes};
  std::vector<::ssmq::SiteInfo> infos;
  for (const Site &site : sites) {
    infos.push_back({site.name, site.rows, site.columns, site.elements, site.numBytes});
    size.fixedBytes -= site.numBytes;
  }
  SensitivityTable table(std::move(*identity), size, std::move(infos));
  for (const Site &site : sites)
    for (const auto &format : getDistinctFormats(options->formats, site.columns))
      if (Error error = table.addCandidate(
              {site.name, format->getSpelling()},
              format->getNumBytes({::ssmq::SiteKind::Weight, site.rows, site.columns})))
        return std::move(error);
  if (!budget.empty()) {
    Expected<::ssmq::Budget> limit = ::ssmq::Budget::parse(budget);
    if (!limit)
      return limit.takeError();
    if (Error error = ::ssmq::checkReachable(limit->getBytes(size), table))
      return std::move(error);
  }
  if (Error error = sweep(**program, sites, sequences, *options, table))
    return std::move(error);
  if (remarks)
    emitRemarks(sites, table);
  return table;
}

void SensitivityPass::emitRemarks(ArrayRef<Site> sites, const SensitivityTable &table) {
  llvm::StringMap<Operation *> holders;
  for (const Site &site : sites)
    holders[site.name] = site.getHolder();
  for (const ::ssmq::SensitivityRow &row : table.getRows())
    holders[row.candidate.site]->emitRemark(
        llvm::formatv("{0} in {1}: {2} bytes, KL(p||q) {3:e3} +- {4:e3}", row.candidate.site,
                      row.candidate.format, row.bytes, row.estimate.forwardKL.mean,
                      row.estimate.forwardKL.standardError)
            .str());
}

void SensitivityPass::runOnOperation() {
  auto store = openCheckpoint(getOperation(), checkpoint);
  if (failed(store))
    return signalPassFailure();
  Expected<SensitivityTable> table = measure(*store);
  Error error = table ? table->write(output) : table.takeError();
  if (error) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    return signalPassFailure();
  }
  markAllAnalysesPreserved();
}
