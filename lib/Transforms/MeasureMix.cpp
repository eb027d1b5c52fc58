//===- MeasureMix.cpp - Measure whole assignments -------------------------===//

#include "Calibration.h"
#include "ResolveMix.h"
#include "SelectCandidates.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Assign/Choices.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Measure/MixDocument.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/JsonFields.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/Support/Threading.h"
#include <limits>

namespace mlir::ssm {
#define GEN_PASS_DEF_MEASUREMIXPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::Assignment;
using ::ssmq::Candidate;
using ::ssmq::combineKL;
using ::ssmq::MeasuredMix;
using ::ssmq::SensitivityTable;

namespace {

class MeasureMixPass : public mlir::ssm::impl::MeasureMixPassBase<MeasureMixPass> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  Expected<llvm::json::Value> measure(std::shared_ptr<const ::ssmq::WeightStore> store);
  /// What the table says of each assignment; fails when it lacks one of their formats.
  Error predict(const ::ssmq::RunIdentity &run, ArrayRef<Assignment> chosen,
                std::vector<MeasuredMix> &mixes) const;
  Error measurePairs(MixMeasurement &measurement, const Mix &mix, MeasuredMix &result) const;
  Error measureMarginals(MixMeasurement &measurement, const Mix &mix, MeasuredMix &result) const;
};

} // namespace

Error MeasureMixPass::predict(const ::ssmq::RunIdentity &run, ArrayRef<Assignment> chosen,
                              std::vector<MeasuredMix> &mixes) const {
  Expected<SensitivityTable> known = SensitivityTable::read(table);
  if (!known)
    return known.takeError();
  if (known->getIdentity().checkpoint != run.checkpoint)
    return ::ssmq::makeError("{0} is of other weights than this module's", table);
  std::map<Candidate, double> costs;
  for (const ::ssmq::SensitivityRow &row : known->getRows())
    costs[row.candidate] = row.isUnusable ? std::numeric_limits<double>::infinity()
                                          : std::max(0.0, row.estimate.forwardKL.mean);
  for (auto [assignment, mix] : llvm::zip_equal(chosen, mixes)) {
    mix.predictedKL = 0;
    for (const ::ssmq::SiteFormat &one : assignment.sites) {
      if (one.format == ::ssmq::keepFormat)
        continue;
      auto cost = costs.find({one.site, one.format});
      if (cost == costs.end())
        return ::ssmq::makeError("{0} has no row for {1} as {2}", table, ::ssmq::quote(one.site),
                                 ::ssmq::quote(one.format));
      mix.predictedKL += cost->second;
    }
  }
  return Error::success();
}

/// The `count` elements with the largest value, the largest first.
static SmallVector<size_t> findLargest(size_t count, ArrayRef<double> values) {
  SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(0, values.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(-values[a], a) < std::make_pair(-values[b], b);
  });
  order.truncate(std::min(count, order.size()));
  return order;
}

static Candidate getCandidate(const SiteChange &one) {
  return {one.site->name, one.format ? one.format->getSpelling() : ::ssmq::keepFormat.str()};
}

Error MeasureMixPass::measurePairs(MixMeasurement &measurement, const Mix &mix,
                                   MeasuredMix &result) const {
  std::vector<Mix> single;
  for (const SiteChange &one : mix)
    single.push_back({one});
  Expected<std::vector<SequenceSums>> alone =
      measurement.measureChanges({}, single, /*exact=*/true);
  if (!alone)
    return alone.takeError();
  SmallVector<size_t> order =
      findLargest(pairs, llvm::map_to_vector(*alone, [](const SequenceSums &sums) {
                    return combineKL({{1, sums}}).mean;
                  }));
  SmallVector<std::pair<size_t, size_t>> wanted;
  std::vector<Mix> both;
  for (size_t i = 0; i < order.size(); ++i)
    for (size_t j = i + 1; j < order.size(); ++j) {
      wanted.emplace_back(order[i], order[j]);
      both.push_back({mix[order[i]], mix[order[j]]});
    }
  Expected<std::vector<SequenceSums>> together =
      measurement.measureChanges({}, both, /*exact=*/true);
  if (!together)
    return together.takeError();
  for (auto [pair, sums] : llvm::zip_equal(wanted, *together)) {
    auto [a, b] = pair;
    result.pairs.push_back({getCandidate(mix[a]), getCandidate(mix[b]),
                            combineKL({{1, sums}, {-1, (*alone)[a]}, {-1, (*alone)[b]}})});
  }
  return Error::success();
}

Error MeasureMixPass::measureMarginals(MixMeasurement &measurement, const Mix &mix,
                                       MeasuredMix &result) const {
  std::vector<Mix> restored;
  for (const SiteChange &one : mix)
    restored.push_back({{one.site, nullptr, nullptr}});
  Expected<std::vector<SequenceSums>> full =
      measurement.measureChanges(mix, restored, exactArithmetic);
  if (!full)
    return full.takeError();
  SmallVector<size_t> order =
      findLargest(marginals, llvm::map_to_vector(*full, [](const SequenceSums &sums) {
                    return -combineKL({{1, sums}}).mean;
                  }));
  SmallVector<Site> sites =
      llvm::map_to_vector(mix, [](const SiteChange &one) -> Site { return *one.site; });
  Expected<std::vector<FormatList>> lists = selectFormats(formats, sites);
  if (!lists)
    return lists.takeError();
  if (Error error = dropUnfit(measurement.getInterpreter(), sites, *lists))
    return error;
  std::vector<Mix> changes;
  for (size_t i : order)
    for (const auto &format : (*lists)[i])
      changes.push_back({{mix[i].site, format, nullptr}});
  Expected<std::vector<SequenceSums>> measured =
      measurement.measureChanges(mix, changes, exactArithmetic);
  if (!measured)
    return measured.takeError();
  auto add = [&](const Mix &change, const SequenceSums &changed) {
    result.marginals.push_back({getCandidate(change.front()), combineKL({{1, changed}}),
                                combineKL({{1, changed}, {-1, result.sums}})});
  };
  for (size_t i : order)
    add(restored[i], (*full)[i]);
  for (auto [change, changed] : llvm::zip_equal(changes, *measured))
    add(change, changed);
  return Error::success();
}

Expected<llvm::json::Value>
MeasureMixPass::measure(std::shared_ptr<const ::ssmq::WeightStore> store) {
  if (assignments.empty() || tokens.empty() || output.empty())
    return llvm::createStringError(
        "ssmq-measure-mix needs assignments=FILE,..., tokens=FILE and output=FILE");
  Expected<Calibration> calibration = Calibration::read(tokens, sequenceLength, numSequences);
  if (!calibration)
    return calibration.takeError();
  ModuleOp module = getOperation();
  SmallVector<Site> sites = findSites(module);
  SiteIndex index(sites);
  std::vector<Assignment> chosen;
  std::vector<Mix> mixes;
  std::vector<MeasuredMix> results;
  for (const std::string &path : assignments) {
    Expected<Assignment> assignment = Assignment::read(path);
    if (!assignment)
      return assignment.takeError();
    Expected<Mix> mix = index.resolve(*assignment);
    if (!mix)
      return ::ssmq::makeError("{0}: {1}", path, llvm::toString(mix.takeError()));
    results.push_back({path, assignment->method, std::numeric_limits<double>::quiet_NaN(), {}, {}});
    chosen.push_back(std::move(*assignment));
    mixes.push_back(std::move(*mix));
  }
  FailureOr<std::unique_ptr<InterpreterProgram>> program = InterpreterProgram::create(
      module, [store](StringRef name) { return store->lookup(name); }, {});
  if (failed(program))
    return llvm::createStringError("the interpreter cannot run this module");
  if (Error error = calibration->fit(**program))
    return std::move(error);
  Expected<::ssmq::RunIdentity> run =
      identifyRun(module, *store, *calibration, (*program)->getVocabSize());
  if (!run)
    return run.takeError();
  if (!table.empty())
    if (Error error = predict(*run, chosen, results))
      return std::move(error);

  MixMeasurement measurement(**program, calibration->getSequences(),
                             threads ? threads
                                     : llvm::hardware_concurrency().compute_thread_count());
  Expected<std::vector<SequenceSums>> sums = measurement.measure(mixes);
  if (!sums)
    return sums.takeError();
  for (auto [i, result] : llvm::enumerate(results)) {
    result.sums = std::move((*sums)[i]);
    if (pairs > 0)
      if (Error error = measurePairs(measurement, mixes[i], result))
        return std::move(error);
    if (marginals > 0)
      if (Error error = measureMarginals(measurement, mixes[i], result))
        return std::move(error);
  }
  return makeMixDocument(*run, results);
}

void MeasureMixPass::runOnOperation() {
  auto store = openCheckpoint(getOperation(), checkpoint);
  if (failed(store))
    return signalPassFailure();
  Expected<llvm::json::Value> document = measure(*store);
  Error error = document ? ::ssmq::writeJsonFile(output, *document) : document.takeError();
  if (error) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    return signalPassFailure();
  }
  markAllAnalysesPreserved();
}
