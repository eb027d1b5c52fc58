//===- Sensitivity.cpp - Measure each format at each weight ---------------===//

#include "Calibration.h"
#include "ReportSensitivity.h"
#include "SelectCandidates.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Analysis/SensitivitySweep.h"
#include "ssmq/Assign/Budget.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Kernels/ChangeGemm.h"
#include "ssmq/Measure/Journal.h"
#include "ssmq/Measure/SensitivityTable.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Threading.h"
#include <unistd.h>

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

namespace {

class SensitivityPass : public mlir::ssm::impl::SensitivityPassBase<SensitivityPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  /// Everything below reports its faults by an Error, which runOnOperation emits at the module.
  Expected<SensitivityTable> measure(std::shared_ptr<const WeightStore> store);
  Expected<SweepOptions> makeOptions() const;
  /// Declares all candidates; fails when none can meet the budget.
  Expected<SensitivityTable> makeTable(RunIdentity identity, ArrayRef<Site> sites,
                                       ArrayRef<FormatList> formats, ArrayRef<Value> cuts);
  /// Tells on a terminal what the sweep will need; fails when the machine has less.
  Error stateMemory(const InterpreterProgram &program, int64_t tokens, unsigned threads);
  Error sweep(const InterpreterProgram &program, ArrayRef<Site> sites, ArrayRef<FormatList> formats,
              ArrayRef<::ssmq::Sequence> sequences, const SweepOptions &options,
              SensitivityTable &table);
};

} // namespace

Expected<SweepOptions> SensitivityPass::makeOptions() const {
  SweepOptions options;
  options.threads = threads ? threads : llvm::hardware_concurrency().compute_thread_count();
  options.precision = precision;
  if (!(precision >= 0) || precision > 1)
    return llvm::createStringError("precision must be from 0 to 1");
  if (shard.empty())
    return options;
  auto [index, count] = StringRef(shard).split('/');
  if (index.getAsInteger(10, options.shard) || count.getAsInteger(10, options.numShards) ||
      options.shard >= options.numShards)
    return llvm::createStringError("shard must be i/n with i from 0 to n - 1, as 0/4");
  return options;
}

Error SensitivityPass::stateMemory(const InterpreterProgram &program, int64_t tokens,
                                   unsigned threads) {
  double needed = static_cast<double>(program.getInterpreter().estimateRerunMemory(
                      tokens, threads, /*inBytes=*/!exactArithmetic && ::ssmq::hasByteProducts())) /
                  1e9;
  double present = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                   static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e9;
  if (needed > present)
    return ::ssmq::makeError("the sweep needs about {0:F1} GB and this machine has {1:F1}; shorter "
                             "sequences or fewer threads need less",
                             needed, present);
  if (llvm::sys::Process::StandardErrIsDisplayed())
    llvm::errs() << llvm::formatv("the sweep needs about {0:F1} GB\n", needed);
  return Error::success();
}

Error SensitivityPass::sweep(const InterpreterProgram &program, ArrayRef<Site> sites,
                             ArrayRef<FormatList> formats, ArrayRef<::ssmq::Sequence> sequences,
                             const SweepOptions &options, SensitivityTable &table) {
  using Key = std::tuple<int64_t, Candidate, bool>;
  std::map<Key, const SequenceRecord *> known;
  std::unique_ptr<Journal> kept;
  if (!journal.empty()) {
    Expected<std::unique_ptr<Journal>> opened = Journal::open(journal, table.getIdentity());
    if (!opened)
      return opened.takeError();
    kept = std::move(*opened);
    if (!kept->getNote().empty())
      getOperation().emitRemark() << kept->getNote();
    for (const SequenceRecord &record : kept->getRecords())
      known[{record.sequence, record.candidate, record.localError.has_value()}] = &record;
  }
  auto find = [&](int64_t sequence, const Candidate &candidate,
                  bool isLocalError) -> const SequenceRecord * {
    auto it = known.find({sequence, candidate, isLocalError});
    if (it != known.end())
      return it->second;
    it = known.find({sequence, candidate, false});
    return it != known.end() && it->second->isUnusable ? it->second : nullptr;
  };
  std::mutex mutex;
  auto add = [&](const SequenceRecord &record, bool isNew) -> Error {
    if (kept && isNew)
      if (Error error = kept->append(record))
        return error;
    std::lock_guard<std::mutex> lock(mutex);
    return table.addRecord(record);
  };
  auto endSequence = [&]() -> Error { return kept ? kept->sync() : Error::success(); };
  return sweepSites(program, sites, formats, sequences, options, {find, add, endSequence});
}

Expected<SensitivityTable> SensitivityPass::makeTable(RunIdentity identity, ArrayRef<Site> sites,
                                                      ArrayRef<FormatList> formats,
                                                      ArrayRef<Value> cuts) {
  WeightTotals totals = getWeightTotals(getOperation());
  ::ssmq::ModelSize size{totals.numElements, totals.numBytes};
  std::vector<::ssmq::SiteInfo> infos;
  for (const Site &site : sites) {
    infos.push_back({site.name, site.kind, site.rows, site.columns, site.elements, site.numBytes});
    if (site.kind == ::ssmq::SiteKind::Weight)
      size.fixedBytes -= site.numBytes;
  }
  llvm::MapVector<Value, int64_t> numbers;
  for (auto [info, cut] : llvm::zip(infos, cuts))
    if (cut)
      info.cut = numbers.try_emplace(cut, numbers.size()).first->second;
  SensitivityTable table(std::move(identity), size, std::move(infos));
  for (auto [site, list] : llvm::zip_equal(sites, formats))
    for (const auto &format : list)
      if (Error error = table.addCandidate({site.name, format->getSpelling()},
                                           format->getNumBytes(site.getLayout(/*tokens=*/1))))
        return std::move(error);
  if (!budget.empty()) {
    Expected<::ssmq::Budget> limit = ::ssmq::Budget::parse(budget);
    if (!limit)
      return limit.takeError();
    if (Error error = ::ssmq::checkReachable(limit->getBytes(size), table))
      return std::move(error);
  }
  return table;
}

Expected<SensitivityTable> SensitivityPass::measure(std::shared_ptr<const WeightStore> store) {
  ModuleOp module = getOperation();
  Expected<SweepOptions> options = makeOptions();
  if (!options)
    return options.takeError();
  if (tokens.empty() || output.empty())
    return llvm::createStringError("ssmq-sensitivity needs tokens=FILE and output=FILE");
  Expected<Calibration> calibration = Calibration::read(tokens, sequenceLength, numSequences);
  if (!calibration)
    return calibration.takeError();
  Expected<SmallVector<Site>> chosen = selectSites(module, sites);
  if (!chosen)
    return chosen.takeError();
  Expected<std::vector<FormatList>> formatLists = selectFormats(formats, *chosen);
  if (!formatLists)
    return formatLists.takeError();

  auto lookup = [store](StringRef name) { return store->lookup(name); };
  FailureOr<std::unique_ptr<InterpreterProgram>> program =
      InterpreterProgram::create(module, lookup, {::ssmq::KernelSet::Fast, options->threads});
  if (failed(program))
    return llvm::createStringError("the interpreter cannot run this module");
  if (Error error = calibration->fit(**program))
    return std::move(error);
  if (Error error = dropUnfit((*program)->getInterpreter(), *chosen, *formatLists))
    return std::move(error);
  if (Error error = stateMemory(**program, calibration->getSequences().front().getNumSteps(),
                                options->threads))
    return std::move(error);
  Expected<RunIdentity> identity =
      identifyRun(module, *store, *calibration, (*program)->getVocabSize());
  if (!identity)
    return identity.takeError();
  if (!exactArithmetic && ::ssmq::hasByteProducts())
    identity->formatSet += ", changes in bytes";
  SmallVector<Value> cuts;
  if (::ssmq::MeasurementPlan(precision).usesCuts()) {
    identity->formatSet += ", errors at cuts";
    cuts = findCuts((*program)->getInterpreter(), *chosen);
  }
  options->cuts = cuts;

  Expected<SensitivityTable> table = makeTable(std::move(*identity), *chosen, *formatLists, cuts);
  if (!table)
    return table;
  if (!exactArithmetic)
    (*program)->prepareReruns(options->threads);
  if (Error error =
          sweep(**program, *chosen, *formatLists, calibration->getSequences(), *options, *table))
    return std::move(error);
  remarkSensitivity(*chosen, *table);
  warnOfUnusable(module, *table);
  if (annotate)
    annotateSensitivity(*chosen, *table);
  return table;
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
  if (!annotate)
    markAllAnalysesPreserved();
}
