//===- RoundRuns.cpp - Rounds all runs of a value -------------------------===//

#include "RoundRuns.h"

#include "ssmq/Support/Parallel.h"
#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

using namespace llvm;

namespace ssmq {

/// Floats that are worked on while they lie in the first cache; even, so that no pair is cut.
static constexpr int64_t kBlock = 4096;

static void copy(const float *from, MutableArrayRef<float> to) {
  if (from != to.data())
    std::memcpy(to.data(), from, to.size() * sizeof(float));
}

namespace {
/// The fault that counts most of those that threads meet, whichever meets its own first.
class FaultSink {
public:
  void add(RunFault fault) {
    RunFault known = worst;
    while (known < fault && !worst.compare_exchange_weak(known, fault)) {
    }
  }
  RunFault get() const { return worst; }

private:
  std::atomic<RunFault> worst{RunFault::None};
};
} // namespace

/// Calls body(begin, size) for blocks of at most `block` that cover [0, n), on all threads.
static void forEachBlock(unsigned threads, int64_t n, int64_t block,
                         function_ref<void(int64_t begin, int64_t size)> body) {
  parallelFor(threads, (n + block - 1) / block, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i)
      body(i * block, std::min(block, n - i * block));
  });
}

/// One run, whose range all threads look for together.
static RunFault roundLongRun(const Numerics &numerics, const float *from, MutableArrayRef<float> to,
                             unsigned threads) {
  RunRange range;
  std::mutex mutex;
  forEachBlock(threads, to.size(), kBlock, [&](int64_t begin, int64_t size) {
    RunRange part = numerics.findRange({from + begin, static_cast<size_t>(size)});
    std::lock_guard<std::mutex> lock(mutex);
    range.merge(part);
  });
  RunGrid grid;
  RunFault fault = numerics.fit(range, grid);
  if (fault != RunFault::None)
    return fault;
  forEachBlock(threads, to.size(), kBlock, [&](int64_t begin, int64_t size) {
    MutableArrayRef<float> block = to.slice(begin, size);
    copy(from + begin, block);
    numerics.round(block, grid);
  });
  return RunFault::None;
}

/// Neighbouring runs of one size, of which only the very last may be shorter.
static RunFault roundEqualRuns(const Numerics &numerics, int64_t runSize, const float *from,
                               MutableArrayRef<float> to, unsigned threads) {
  FaultSink faults;
  int64_t block = std::max<int64_t>(1, kBlock / runSize) * runSize;
  forEachBlock(threads, to.size(), block, [&](int64_t begin, int64_t size) {
    MutableArrayRef<float> values = to.slice(begin, size);
    copy(from + begin, values);
    faults.add(numerics.roundRuns(values, runSize));
  });
  return faults.get();
}

RunFault roundDynamic(const Numerics &numerics, const Runs &runs, const float *from,
                      MutableArrayRef<float> to, unsigned threads) {
  if (to.empty())
    return RunFault::None;
  if (runs.numUnits == 1 && runs.getRunsPerUnit() < 2 * threads) {
    FaultSink faults;
    for (int64_t begin = 0; begin < runs.unitSize; begin += runs.runSize) {
      int64_t size = std::min(runs.runSize, runs.unitSize - begin);
      faults.add(roundLongRun(numerics, from + begin, to.slice(begin, size), threads));
    }
    return faults.get();
  }
  if (runs.numUnits == 1 || runs.unitSize % runs.runSize == 0)
    return roundEqualRuns(numerics, runs.runSize, from, to, threads);
  FaultSink faults;
  parallelFor(threads, runs.numUnits, [&](int64_t first, int64_t end) {
    for (int64_t unit = first; unit < end; ++unit) {
      int64_t begin = unit * runs.unitSize;
      faults.add(roundEqualRuns(numerics, runs.runSize, from + begin,
                                to.slice(begin, runs.unitSize), /*threads=*/1));
    }
  });
  return faults.get();
}

/// Every value of a unit has a scale of its own: works on transposed tiles, so that a grid is
/// looked at once for many values and each cache line is read once.
static void roundColumns(const Numerics &numerics, const Runs &runs, ArrayRef<RunGrid> grids,
                         MutableArrayRef<float> to, unsigned threads) {
  constexpr int64_t kUnits = 128, kColumns = 16;
  forEachBlock(threads, runs.numUnits, kUnits, [&](int64_t firstUnit, int64_t units) {
    float tile[kColumns][kUnits];
    for (int64_t column = 0; column < runs.unitSize; column += kColumns) {
      float *corner = to.data() + firstUnit * runs.unitSize + column;
      int64_t columns = std::min(kColumns, runs.unitSize - column);
      for (int64_t unit = 0; unit < units; ++unit)
        for (int64_t i = 0; i < columns; ++i)
          tile[i][unit] = corner[unit * runs.unitSize + i];
      for (int64_t i = 0; i < columns; ++i)
        numerics.round({tile[i], static_cast<size_t>(units)}, grids[column + i]);
      for (int64_t unit = 0; unit < units; ++unit)
        for (int64_t i = 0; i < columns; ++i)
          corner[unit * runs.unitSize + i] = tile[i][unit];
    }
  });
}

RunFault roundStatic(const Numerics &numerics, const Runs &runs, ArrayRef<RunGrid> grids,
                     const float *from, MutableArrayRef<float> to, unsigned threads) {
  FaultSink faults;
  forEachBlock(threads, to.size(), kBlock, [&](int64_t begin, int64_t size) {
    MutableArrayRef<float> block = to.slice(begin, size);
    copy(from + begin, block);
    if (!numerics.findRange(block).isFinite)
      faults.add(RunFault::NotFinite);
  });
  if (faults.get() != RunFault::None)
    return faults.get();
  if (runs.unitsShareScales && runs.runSize == 1) {
    roundColumns(numerics, runs, grids, to, threads);
    return RunFault::None;
  }
  int64_t perUnit = runs.getRunsPerUnit();
  parallelFor(threads, runs.numUnits * perUnit, [&](int64_t first, int64_t end) {
    for (int64_t run = first; run < end; ++run) {
      int64_t begin = run % perUnit * runs.runSize;
      int64_t size = std::min(runs.runSize, runs.unitSize - begin);
      numerics.round(to.slice(run / perUnit * runs.unitSize + begin, size),
                     grids[runs.unitsShareScales ? run % perUnit : run]);
    }
  });
  return RunFault::None;
}

} // namespace ssmq
