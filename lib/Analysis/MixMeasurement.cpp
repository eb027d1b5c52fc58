//===- MixMeasurement.cpp - Many sites quantized at a time ----------------===//

#include "ssmq/Analysis/MixMeasurement.h"

#include "ssmq/Analysis/SequenceSweep.h"
#include "ssmq/Support/Parallel.h"
#include "ssmq/Support/Progress.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include <atomic>

using namespace mlir;
using namespace mlir::ssm;
using llvm::Error;
using llvm::Expected;
using ::ssmq::DivergenceSums;

Error MixMeasurement::addRanges(llvm::MutableArrayRef<Mix> mixes) {
  auto forEachMissing = [&](llvm::function_ref<void(SiteChange &)> visit) {
    for (Mix &mix : mixes)
      for (SiteChange &one : mix)
        if (one.format && !one.ranges)
          visit(one);
  };
  forEachMissing([&](SiteChange &one) { ranges.want(*one.site, *one.format); });
  std::optional<SequenceSweep> current;
  auto getSweep = [&](size_t k) -> Expected<const SequenceSweep *> {
    current.reset(); // its values go before the next ones come
    Expected<SequenceSweep> sweep = SequenceSweep::create(program, sequences[k]);
    if (!sweep)
      return sweep.takeError();
    return &current.emplace(std::move(*sweep));
  };
  if (Error error = ranges.observe(sequences.size(), getSweep, threads))
    return error;
  forEachMissing([&](SiteChange &one) { one.ranges = ranges.get(*one.site, *one.format); });
  return Error::success();
}

Expected<std::vector<SequenceSums>>
MixMeasurement::measureEach(StringRef label, ArrayRef<Mix> mixes, MeasureOne measureOne) {
  std::vector<SequenceSums> sums(mixes.size(), SequenceSums(sequences.size()));
  ::ssmq::Progress progress(label, static_cast<double>(mixes.size() * sequences.size()));
  for (size_t k = 0; k < sequences.size() && !mixes.empty(); ++k) {
    Expected<SequenceSweep> sweep = SequenceSweep::create(program, sequences[k]);
    if (!sweep)
      return sweep.takeError();
    std::atomic<size_t> next{0};
    std::mutex mutex;
    Error failure = Error::success();
    auto work = [&] {
      for (size_t i; (i = next.fetch_add(1)) < mixes.size();) {
        Expected<DivergenceSums> one = measureOne(*sweep, mixes[i]);
        progress.advance(1);
        if (one) {
          sums[i][k] = *one;
          continue;
        }
        std::lock_guard<std::mutex> lock(mutex);
        failure = llvm::joinErrors(std::move(failure), one.takeError());
        next = mixes.size();
      }
    };
    ::ssmq::parallelFor(threads, threads, [&](int64_t, int64_t) { work(); });
    if (failure)
      return std::move(failure);
  }
  return sums;
}

Expected<std::vector<SequenceSums>> MixMeasurement::measure(std::vector<Mix> mixes) {
  if (Error error = addRanges(mixes))
    return std::move(error);
  auto measureOne = [](const SequenceSweep &sweep, const Mix &mix) -> Expected<DivergenceSums> {
    Expected<SitePerturbation> perturbed = perturbSites(mix, sweep.getInterpreter());
    if (!perturbed)
      return perturbed.takeError();
    return sweep.measureWhole(*perturbed);
  };
  return measureEach("measuring mixes", mixes, measureOne);
}

Expected<std::vector<SequenceSums>>
MixMeasurement::measureChanges(Mix base, std::vector<Mix> changes, bool exact) {
  if (Error error = addRanges(llvm::MutableArrayRef<Mix>(base)))
    return std::move(error);
  if (Error error = addRanges(changes))
    return std::move(error);
  Expected<SitePerturbation> under = perturbSites(base, program.getInterpreter());
  if (!under)
    return under.takeError();
  program.setBase(under->perturbation);
  llvm::scope_exit restore([&] { program.setBase(Perturbation()); });
  if (!exact)
    program.prepareReruns(threads);
  auto measureOne = [&](const SequenceSweep &sweep, const Mix &change) -> Expected<DivergenceSums> {
    Expected<SitePerturbation> perturbed = perturbSites(change, sweep.getInterpreter());
    if (!perturbed)
      return perturbed.takeError();
    Expected<DivergenceSums> sums = sweep.measure(*perturbed);
    if (!sums)
      return sums;
    if (Error fault = under->takeFault())
      return std::move(fault);
    return sums;
  };
  return measureEach("measuring changes of a mix", changes, measureOne);
}
