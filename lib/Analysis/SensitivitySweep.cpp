//===- SensitivitySweep.cpp - Measures every (site, format) ---------------===//

#include "ssmq/Analysis/SensitivitySweep.h"

#include "ssmq/Analysis/SequenceSweep.h"
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
using ::ssmq::StaticRanges;

SmallVector<ArrayRef<int32_t>> mlir::ssm::cutSequences(ArrayRef<int32_t> tokens, int64_t length) {
  SmallVector<ArrayRef<int32_t>> sequences;
  while (tokens.size() >= 2) {
    size_t size = std::min(tokens.size(), static_cast<size_t>(length));
    sequences.push_back(tokens.take_front(size));
    tokens = tokens.drop_front(size);
  }
  return sequences;
}

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
        ArrayRef<ArrayRef<int32_t>> sequences, const SweepOptions &options, const SweepSink &sink)
      : program(program), sites(sites), formats(formats), sequences(sequences), options(options),
        plan(options.precision), sink(sink) {
    for (const FormatList &list : formats)
      cells.emplace_back(list.size(), sequences.size());
  }

  Error run();

private:
  /// Visits the wanted sites of each sequence.
  Error passOver(llvm::StringRef label, llvm::function_ref<bool(size_t)> wants,
                 llvm::function_ref<Error(size_t site, size_t k)> visit);
  using Ranges = std::map<std::string, StaticRanges>;

  Error collectRanges();
  Error sweepNoiseFloor(size_t k);
  Error sweepSite(size_t site, size_t k);
  Error completeSite(size_t site, size_t k);
  Error measure(size_t site, size_t format, size_t k, bool isLocalError);

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
  ArrayRef<ArrayRef<int32_t>> sequences;
  const SweepOptions &options;
  MeasurementPlan plan;
  const SweepSink &sink;

  std::vector<SiteCells> cells;
  /// Of a site's static formats, by StaticRanges::getKey.
  std::vector<Ranges> ranges;
  std::mutex mutex;
  std::optional<SequenceSweep> current;
  size_t currentSequence = 0;
  size_t numNoiseFloors = 0;
  /// Records that no earlier run knew.
  std::atomic<size_t> numComputed{0};
};

} // namespace

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
  const Format &stored = *formats[site][format];
  auto compute = [&](const SequenceSweep &sweep, SequenceRecord &record) -> Error {
    const StaticRanges *range = nullptr;
    if (stored.needsRanges())
      range = &ranges[site].at(StaticRanges::getKey(stored));
    Expected<SitePerturbation> perturbed =
        perturbSite(sites[site], stored, range, sweep.getInterpreter(), sweep.getTrace());
    if (!perturbed)
      return perturbed.takeError();
    return isLocalError ? take(sweep.measureLocalError(*perturbed), record.localError)
                        : take(sweep.measure(*perturbed), record.sums);
  };
  SequenceRecord empty{static_cast<int64_t>(k), {sites[site].name, stored.getSpelling()}, {}, {}};
  Expected<SequenceRecord> record = obtain(std::move(empty), isLocalError, compute);
  if (!record)
    return record.takeError();
  ::ssmq::Cell &cell = cells[site].at(format, k);
  if (isLocalError)
    cell.localError = record->localError;
  else
    cell.sums = record->sums;
  return Error::success();
}

Error Sweep::sweepSite(size_t site, size_t k) {
  for (size_t format : plan.chooseLocal(cells[site], k))
    if (Error error = measure(site, format, k, /*isLocalError=*/true))
      return error;
  for (size_t format : plan.chooseMeasured(cells[site], k))
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
  std::atomic<size_t> next{options.shard};
  std::mutex failureMutex;
  Error failure = Error::success();
  auto work = [&] {
    for (size_t site; (site = next.fetch_add(options.numShards)) < sites.size();)
      if (Error error = formats[site].empty() ? Error::success() : body(site)) {
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
    bool isPossible = change == ::ssmq::halvesChange ? program.isIncremental() : !weights.empty();
    if (!isPossible)
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
  ranges.resize(sites.size());
  bool needed = false;
  for (auto [site, list] : llvm::enumerate(formats))
    for (const auto &format : list)
      if (format->needsRanges()) {
        ranges[site].try_emplace(StaticRanges::getKey(*format), *format);
        needed = true;
      }
  for (size_t k = 0; needed && k < sequences.size(); ++k) {
    Expected<const SequenceSweep *> sweep = getSweep(k);
    if (!sweep)
      return sweep.takeError();
    auto observe = [&](size_t site) -> Error {
      for (auto &[key, range] : ranges[site])
        if (Error error =
                observeSite(sites[site], (*sweep)->getInterpreter(), (*sweep)->getTrace(), range))
          return error;
      return Error::success();
    };
    if (Error error = forEachSite(observe))
      return error;
  }
  return Error::success();
}

Error Sweep::passOver(llvm::StringRef label, llvm::function_ref<bool(size_t)> wants,
                      llvm::function_ref<Error(size_t site, size_t k)> visit) {
  double total = 0;
  std::vector<double> work(sites.size());
  for (size_t site = options.shard; site < sites.size(); site += options.numShards) {
    work[site] = wants(site) ? program.getInterpreter().estimateRerunWork(sites[site].uses) : 0;
    total += work[site];
  }
  if (llvm::none_of(work, [](double one) { return one > 0; }))
    return Error::success();
  ::ssmq::Progress progress(label, total * static_cast<double>(sequences.size()));
  for (size_t k = 0; k < sequences.size(); ++k) {
    if (Error error = sweepNoiseFloor(k))
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
          [&](size_t site, size_t k) { return sweepSite(site, k); }))
    return error;
  std::vector<bool> undecided(sites.size());
  for (size_t site = 0; site < sites.size(); ++site)
    undecided[site] = plan.needsAll(cells[site]);
  return passOver(
      "sensitivity, undecided sites", [&](size_t site) { return undecided[site]; },
      [&](size_t site, size_t k) { return completeSite(site, k); });
}

Error mlir::ssm::sweepSites(const InterpreterProgram &program, ArrayRef<Site> sites,
                            ArrayRef<FormatList> formats, ArrayRef<ArrayRef<int32_t>> sequences,
                            const SweepOptions &options, const SweepSink &sink) {
  return Sweep(program, sites, formats, sequences, options, sink).run();
}
