//===- Training.cpp - Scans for training of the C interface ---------------===//

#include "Status.h"
#include "ssmq/Formats/StaticRanges.h"
#include "ssmq/Kernels/RoundedScan.h"
#include "ssmq/Support/Error.h"
#include <cmath>
#include <vector>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

namespace {
/// How a state is rounded, and where gradients stop.
class StateRounding {
public:
  static Expected<StateRounding> make(const SsmqRoundedScan &scan);

  Error round(llvm::MutableArrayRef<float> state) const {
    if (std::isfinite(limit))
      for (float &value : state)
        value = std::min(std::max(value, -limit), limit);
    return format ? format->roundInPlace(state, layout, ranges ? &*ranges : nullptr)
                  : Error::success();
  }

  /// [heads].
  std::vector<float> getBound(float sign, float StaticRanges::Range::*end) const {
    std::vector<float> result(layout.rows, sign * limit);
    if (ranges)
      for (int64_t head = 0; head < layout.rows; ++head)
        result[head] = ranges->getRanges()[ranges->getRanges().size() == 1 ? 0 : head].*end;
    return result;
  }

private:
  std::shared_ptr<const Format> format;
  ValueLayout layout;
  std::optional<StaticRanges> ranges;
  float limit = INFINITY;
};
} // namespace

Expected<StateRounding> StateRounding::make(const SsmqRoundedScan &scan) {
  StateRounding result;
  result.layout = {SiteKind::State, scan.heads, 2 * scan.states, /*headSize=*/1};
  result.limit = scan.limit;
  if (!scan.format)
    return result;
  Expected<std::shared_ptr<const Format>> format = parseFormat(scan.format);
  if (!format)
    return format.takeError();
  Expected<Runs> runs = (*format)->getRuns(result.layout);
  if (!runs)
    return runs.takeError();
  result.format = *format;
  if (!(*format)->needsRanges())
    return result;
  llvm::ArrayRef<float> bounds(scan.bounds, scan.bounds ? scan.numBounds : 0);
  auto numScales = static_cast<size_t>(runs->getNumScales());
  if (numScales != 1 && numScales != static_cast<size_t>(scan.heads))
    return makeError("gradients stop head by head; format '{0}' has {1} scales for {2} heads",
                     (*format)->getSpelling(), numScales, scan.heads);
  if (Error error = StaticRanges::checkBounds(**format, result.layout, bounds))
    return error;
  result.ranges = StaticRanges::fromBounds(**format, bounds);
  return result;
}

static Expected<RoundedScan> readScan(const SsmqRoundedScan *scan,
                                      std::initializer_list<const void *> arrays) {
  if (Error error = capi::checkPointers({scan}))
    return error;
  if (Error error = capi::checkPointers({scan->u, scan->a, scan->b, scan->c}))
    return error;
  if (Error error = capi::checkPointers(arrays))
    return error;
  if (!getCheckedNumBytes(DType::F32,
                          {scan->batch, scan->steps, scan->heads, scan->states, int64_t{2}}))
    return makeError("a scan of {0} x {1} steps with {2} x {3} states is not possible", scan->batch,
                     scan->steps, scan->heads, scan->states);
  return RoundedScan{scan->batch,  scan->steps, scan->heads,
                     scan->states, scan->u,     scan->a,
                     scan->b,      scan->c,     std::max(1U, scan->threads)};
}

SsmqStatus ssmqRoundedScan(const SsmqRoundedScan *scan, float *y, float *states) {
  return capi::guard([&]() -> Error {
    Expected<RoundedScan> read = readScan(scan, {y});
    if (!read)
      return read.takeError();
    Expected<StateRounding> rounding = StateRounding::make(*scan);
    if (!rounding)
      return rounding.takeError();
    return runRoundedScan(
        *read, [&](llvm::MutableArrayRef<float> state) { return rounding->round(state); }, y,
        states);
  });
}

SsmqStatus ssmqRoundedScanGradient(const SsmqRoundedScan *scan, const float *states,
                                   const float *ofY, float *ofU, float *ofA, float *ofB,
                                   float *ofC) {
  return capi::guard([&]() -> Error {
    Expected<RoundedScan> read = readScan(scan, {states, ofY, ofU, ofA, ofB, ofC});
    if (!read)
      return read.takeError();
    Expected<StateRounding> rounding = StateRounding::make(*scan);
    if (!rounding)
      return rounding.takeError();
    std::vector<float> low = rounding->getBound(-1, &StaticRanges::Range::low),
                       high = rounding->getBound(1, &StaticRanges::Range::high);
    runRoundedScanGradient(*read, states, ofY, {low, high, scan->gradientLimit},
                           {ofU, ofA, ofB, ofC});
    return Error::success();
  });
}
