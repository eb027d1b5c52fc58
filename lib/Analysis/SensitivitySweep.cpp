//===- SensitivitySweep.cpp - Measures every (site, format) ---------------===//

#include "ssmq/Analysis/SensitivitySweep.h"

#include "ssmq/Analysis/SiteRanges.h"
#include "ssmq/Support/Parallel.h"
#include "ssmq/Support/Progress.h"
#include <atomic>
#include <map>
#include <mutex>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::DivergenceSums;
using ::ssmq::Format;
using ::ssmq::MeasurementPlan;
using ::ssmq::SequenceRecord;
using ::ssmq::SiteCells;
using ::ssmq::SiteKind;

FormatList mlir::ssm::getDistinctFormats(ArrayRef<std::shared_ptr<const Format>> formats,
                                         const Site &site) {
  ::ssmq::ValueLayout layout = site.getLayout(/*tokens=*/1);
  FormatList distinct;
  for (const auto &format : formats) {
    if (Error error = format->checkLayout(layout)) {
      llvm::consumeError(std::move(error));
      continue;
    }
    if (llvm::none_of(distinct,
                      [&](const auto &other) { return format->isSameOn(*other, layout); }))
      distinct.push_back(format);
  }
  return distinct;
}

namespace {

class Sweep {
public:
  Sweep(const InterpreterProgram &program, ArrayRef<Site> sites, ArrayRef<FormatList> formats,
        ArrayRef<::ssmq::Sequence> sequences, const SweepOptions &options, const SweepSink &sink)
      : program(program), sites(sites), formats(formats), sequences(sequences), options(options),
        plan(options.precision), sink(sink) {
    for (const FormatList &list : formats)
      cells.emplace_back(list.size(), sequences.size());
    for (const FormatList &list : formats)
      unusable.emplace_back(list.size());
    groupSiblings();
  }

  Error run();

private:
  /// Sites of one kind with the same cut, by index; or one site.
  struct Group {
    SmallVector<size_t> sites;
    /// Whether what was measured of some predicts all.
    bool isPredicted = false;
  };

  void groupSiblings();
  /// Whether it belongs to this shard.
  bool isMine(const Group &group) const {
    return (&group - groups.data()) % options.numShards == options.shard;
  }
  bool isMeasured(size_t site) const {
    return !formats[site].empty() && isMine(groups[groupOf[site]]);
  }
  std::vector<const SiteCells *> getSiblings(const Group &group) const;
  /// Visits the wanted sites of each sequence, after `prepare`.
  Error passOver(llvm::StringRef label, llvm::function_ref<bool(size_t)> wants,
                 llvm::function_ref<Error(size_t k)> prepare,
                 llvm::function_ref<Error(size_t site, size_t k)> visit);

  Error collectRanges();
  Error sweepNoiseFloor(size_t k);
  Error sweepLocalErrors(size_t k);
  /// Measures some siblings of each cut and decides whether they predict the others.
  Error sweepProbes();
  Error sweepSite(size_t site, size_t k);
  Error completeSite(size_t site, size_t k);
  Error measure(size_t site, size_t format, size_t k, bool isLocalError);
  bool hasUnusable(size_t site) const { return llvm::is_contained(unusable[site], true); }

  /// Runs `body` for all sites of this shard, side by side.
  Error forEachSite(llvm::function_ref<Error(size_t)> body);
  /// The teacher's run on a sequence, made when it is first needed.
  Expected<const SequenceSweep *> getSweep(size_t k);
  /// Gives a record on: a known one, or what `compute` makes.
  template <typename Compute>
  Expected<SequenceRecord> obtain(SequenceRecord record, bool isLocalError, Compute compute);

  const InterpreterProgram &program;
  ArrayRef<Site> sites;
  ArrayRef<FormatList> formats;
  ArrayRef<::ssmq::Sequence> sequences;
  const SweepOptions &options;
  MeasurementPlan plan;
  const SweepSink &sink;

  std::vector<SiteCells> cells;
  /// By site and format: what overflowed on a sequence and is measured on no other.
  std::vector<std::vector<bool>> unusable;
  std::vector<Group> groups;
  /// Of each site; only those of this shard are measured.
  std::vector<size_t> groupOf;
  SiteRanges ranges;
  std::mutex mutex;
  std::optional<SequenceSweep> current;
  size_t currentSequence = 0;
  size_t numNoiseFloors = 0;
  /// Records that no earlier run knew.
  std::atomic<size_t> numComputed{0};
};

} // namespace

SmallVector<Value> mlir::ssm::findCuts(const Interpreter &interpreter, ArrayRef<Site> sites) {
  return llvm::map_to_vector(sites,
                             [&](const Site &site) { return interpreter.findCut(site.uses); });
}

void Sweep::groupSiblings() {
  std::map<std::pair<SiteKind, const void *>, size_t> known;
  for (size_t site = 0; site < sites.size(); ++site) {
    Value cut = options.cuts.empty() ? Value() : options.cuts[site];
    size_t group = groups.size();
    if (cut)
      group = known.try_emplace({sites[site].kind, cut.getAsOpaquePointer()}, group).first->second;
    if (group == groups.size())
      groups.emplace_back();
    groups[group].sites.push_back(site);
    groupOf.push_back(group);
  }
}

std::vector<const SiteCells *> Sweep::getSiblings(const Group &group) const {
  std::vector<const SiteCells *> siblings;
  for (size_t site : group.sites)
    siblings.push_back(&cells[site]);
  return siblings;
}

Expected<const SequenceSweep *> Sweep::getSweep(size_t k) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!current || currentSequence != k) {
    current.reset(); // its values go before the next ones come
    Expected<SequenceSweep> made = SequenceSweep::create(program, sequences[k]);
    if (!made)
      return made.takeError();
    current.emplace(std::move(*made));
    currentSequence = k;
  }
  return &*current;
}

template <typename Compute>
Expected<SequenceRecord> Sweep::obtain(SequenceRecord record, bool isLocalError, Compute compute) {
  if (const SequenceRecord *known = sink.find(record.sequence, record.candidate, isLocalError)) {
    if (Error error = sink.add(*known, /*isNew=*/false))
      return std::move(error);
    return *known;
  }
  ++numComputed;
  Expected<const SequenceSweep *> sweep = getSweep(record.sequence);
  if (!sweep)
    return sweep.takeError();
  if (Error error = compute(**sweep, record))
    return std::move(error);
  if (Error error = sink.add(record, /*isNew=*/true))
    return std::move(error);
  return record;
}

/// Moves a result into its place in a record.
template <typename T>
static Error take(Expected<T> value, std::optional<T> &place) {
  if (!value)
    return value.takeError();
  place = std::move(*value);
  return Error::success();
}

Error Sweep::measure(size_t site, size_t format, size_t k, bool isLocalError) {
  if (unusable[site][format])
    return Error::success();
  const Format &stored = *formats[site][format];
  auto compute = [&](const SequenceSweep &sweep, SequenceRecord &record) -> Error {
    Expected<SitePerturbation> perturbed =
        perturbSite(sites[site], stored, ranges.get(sites[site], stored).get(),
                    sweep.getInterpreter(), sweep.getTrace());
    if (!perturbed)
      return perturbed.takeError();
    Value cut = options.cuts.empty() ? Value() : options.cuts[site];
    return isLocalError ? take(sweep.measureLocalError(*perturbed, cut), record.localError)
                        : take(sweep.measure(*perturbed), record.sums);
  };
  // The sequence itself was fine, or there would be no sweep of it.
  auto computeIfUsable = [&](const SequenceSweep &sweep, SequenceRecord &record) -> Error {
    Error error = compute(sweep, record);
    record.isUnusable = cannotBeUsed(error);
    if (!record.isUnusable)
      return error;
    llvm::consumeError(std::move(error));
    return Error::success();
  };
  SequenceRecord empty{static_cast<int64_t>(k), {sites[site].name, stored.getSpelling()}, {}, {}};
  Expected<SequenceRecord> record = obtain(std::move(empty), isLocalError, computeIfUsable);
  if (!record)
    return record.takeError();
  if (record->isUnusable) {
    unusable[site][format] = true;
    for (size_t sequence = 0; sequence < sequences.size(); ++sequence)
      cells[site].at(format, sequence) = {};
    return Error::success();
  }
  ::ssmq::Cell &cell = cells[site].at(format, k);
  if (isLocalError)
    cell.localError = record->localError;
  else
    cell.sums = record->sums;
  return Error::success();
}

Error Sweep::sweepLocalErrors(size_t k) {
  return forEachSite([&](size_t site) -> Error {
    if (groups[groupOf[site]].isPredicted)
      return Error::success();
    for (size_t format : plan.chooseLocal(cells[site], k))
      if (Error error = measure(site, format, k, /*isLocalError=*/true))
        return error;
    return Error::success();
  });
}

Error Sweep::sweepProbes() {
  std::vector<std::optional<size_t>> probes(sites.size());
  for (const Group &group : groups)
    if (isMine(group) && group.sites.size() > 1)
      for (MeasurementPlan::Probe probe : plan.chooseProbes(getSiblings(group)))
        probes[group.sites[probe.site]] = probe.format;
  auto measureProbe = [&](size_t site) {
    return probes[site] ? measure(site, *probes[site], 0, /*isLocalError=*/false)
                        : Error::success();
  };
  if (Error error = forEachSite(measureProbe))
    return error;
  for (Group &group : groups)
    group.isPredicted = isMine(group) && group.sites.size() > 1 &&
                        plan.predictsSiblings(getSiblings(group)) &&
                        llvm::none_of(group.sites, [&](size_t site) { return hasUnusable(site); });
  return Error::success();
}

Error Sweep::sweepSite(size_t site, size_t k) {
  if (groups[groupOf[site]].isPredicted)
    return Error::success();
  for (size_t format : plan.chooseMeasured(cells[site], k))
    if (!cells[site].at(format, k).sums)
      if (Error error = measure(site, format, k, /*isLocalError=*/false))
        return error;
  return Error::success();
}

Error Sweep::completeSite(size_t site, size_t k) {
  for (size_t format = 0; format < formats[site].size(); ++format)
    if (!cells[site].at(format, k).sums)
      if (Error error = measure(site, format, k, /*isLocalError=*/false))
        return error;
  return Error::success();
}

Error Sweep::forEachSite(llvm::function_ref<Error(size_t)> body) {
  // Late sites cost far less than early ones, so each thread takes the next one when it is free.
  std::atomic<size_t> next{0};
  std::mutex failureMutex;
  Error failure = Error::success();
  auto work = [&] {
    for (size_t site; (site = next++) < sites.size();)
      if (Error error = isMeasured(site) ? body(site) : Error::success()) {
        std::lock_guard<std::mutex> lock(failureMutex);
        failure = llvm::joinErrors(std::move(failure), std::move(error));
        next = sites.size();
      }
  };
  ::ssmq::parallelFor(options.threads, options.threads, [&](int64_t, int64_t) { work(); });
  return failure;
}

Error Sweep::sweepNoiseFloor(size_t k) {
  if (k < numNoiseFloors)
    return Error::success();
  ++numNoiseFloors;
  SmallVector<Site> weights;
  llvm::copy_if(sites, std::back_inserter(weights),
                [](const Site &site) { return site.kind == SiteKind::Weight; });
  for (StringRef change : {::ssmq::halvesChange, ::ssmq::bfloatChange}) {
    // Predictions need the weights' of each sequence; of the other, one tells enough beside them.
    bool isWanted =
        change == ::ssmq::bfloatChange
            ? !weights.empty()
            : program.isIncremental() && (k == 0 || plan.measuresAll() || weights.empty());
    if (!isWanted)
      continue;
    auto compute = [&](const SequenceSweep &sweep, SequenceRecord &record) {
      return take(change == ::ssmq::halvesChange ? sweep.measureHalves()
                                                 : sweep.measureBFloat(weights),
                  record.sums);
    };
    SequenceRecord empty{
        static_cast<int64_t>(k), {::ssmq::noiseFloorSite.str(), change.str()}, {}, {}};
    Expected<SequenceRecord> record = obtain(std::move(empty), /*isLocalError=*/false, compute);
    if (!record)
      return record.takeError();
    if (change == ::ssmq::bfloatChange)
      for (SiteCells &site : cells)
        site.setLogScale(k, ::ssmq::getLogScale(*record->sums));
  }
  return Error::success();
}

Error Sweep::collectRanges() {
  for (size_t site = 0; site < sites.size(); ++site)
    if (isMeasured(site))
      for (const auto &format : formats[site])
        ranges.want(sites[site], *format);
  return ranges.observe(sequences.size(), [&](size_t k) { return getSweep(k); }, options.threads);
}

Error Sweep::passOver(llvm::StringRef label, llvm::function_ref<bool(size_t)> wants,
                      llvm::function_ref<Error(size_t k)> prepare,
                      llvm::function_ref<Error(size_t site, size_t k)> visit) {
  double total = 0;
  std::vector<double> work(sites.size());
  for (size_t site = 0; site < sites.size(); ++site) {
    work[site] = isMine(groups[groupOf[site]]) && wants(site)
                     ? program.getInterpreter().estimateRerunWork(sites[site].uses)
                     : 0;
    total += work[site];
  }
  if (llvm::none_of(work, [](double one) { return one > 0; }))
    return Error::success();
  ::ssmq::Progress progress(label, total * static_cast<double>(sequences.size()));
  for (size_t k = 0; k < sequences.size(); ++k) {
    if (Error error = sweepNoiseFloor(k))
      return error;
    if (Error error = prepare(k))
      return error;
    auto visitSite = [&](size_t site) -> Error {
      if (!wants(site))
        return Error::success();
      size_t before = numComputed;
      Error error = visit(site, k);
      // Other threads may compute meanwhile; in the part that an earlier run did, none does.
      if (numComputed == before)
        progress.skip(work[site]);
      else
        progress.advance(work[site]);
      return error;
    };
    if (Error error = forEachSite(visitSite))
      return error;
    if (Error error = sink.endSequence())
      return error;
  }
  return Error::success();
}

Error Sweep::run() {
  if (Error error = collectRanges())
    return error;
  if (Error error = passOver(
          "sensitivity", [](size_t) { return true; },
          [&](size_t k) -> Error {
            if (Error error = sweepLocalErrors(k))
              return error;
            return k == 0 && plan.usesCuts() ? sweepProbes() : Error::success();
          },
          [&](size_t site, size_t k) { return sweepSite(site, k); }))
    return error;
  std::vector<bool> undecided(sites.size());
  for (size_t site = 0; site < sites.size(); ++site)
    undecided[site] = !groups[groupOf[site]].isPredicted &&
                      (plan.needsAll(cells[site]) || (!plan.measuresAll() && hasUnusable(site)));
  return passOver(
      "sensitivity, undecided sites", [&](size_t site) { return undecided[site]; },
      [](size_t) { return Error::success(); },
      [&](size_t site, size_t k) { return completeSite(site, k); });
}

Error mlir::ssm::sweepSites(const InterpreterProgram &program, ArrayRef<Site> sites,
                            ArrayRef<FormatList> formats, ArrayRef<::ssmq::Sequence> sequences,
                            const SweepOptions &options, const SweepSink &sink) {
  return Sweep(program, sites, formats, sequences, options, sink).run();
}
