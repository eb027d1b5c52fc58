//===- RoundedScan.cpp - S4D's recurrence for training --------------------===//

#include "ssmq/Kernels/RoundedScan.h"

#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include <algorithm>
#include <mutex>
#include <vector>

using namespace llvm;
using namespace ssmq;
using namespace ssmq::simd;

namespace {
/// Eight neighbouring floats are four complex numbers.
constexpr int64_t kLanes = 8;

const Float8 kSigns = {-1, 1, -1, 1, -1, 1, -1, 1};
} // namespace

static Float8 getReal(Float8 v) { return __builtin_shufflevector(v, v, 0, 0, 2, 2, 4, 4, 6, 6); }
static Float8 getImaginary(Float8 v) {
  return __builtin_shufflevector(v, v, 1, 1, 3, 3, 5, 5, 7, 7);
}
static Float8 swapParts(Float8 v) { return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6); }

/// a b + c.
static Float8 multiplyAdd(Float8 a, Float8 b, Float8 c) {
  return fma(getReal(a), b, fma(kSigns * getImaginary(a), swapParts(b), c));
}
/// conj(a) b.
static Float8 multiplyConjugate(Float8 a, Float8 b) {
  return fma(getReal(a), b, -kSigns * getImaginary(a) * swapParts(b));
}

namespace {
/// The systems of a scan with rows filled up to whole vectors of zeros.
struct Systems {
  int64_t width, padded;
  std::vector<float> a, b, c;

  explicit Systems(const RoundedScan &scan)
      : width(2 * scan.states), padded((width + kLanes - 1) / kLanes * kLanes),
        a(pad(scan, scan.a)), b(pad(scan, scan.b)), c(pad(scan, scan.c)) {}

  std::vector<float> pad(const RoundedScan &scan, const float *from) const {
    std::vector<float> result(scan.heads * padded);
    for (int64_t head = 0; head < scan.heads; ++head)
      std::copy_n(from + head * width, width, result.data() + head * padded);
    return result;
  }
};
} // namespace

/// s_t of four states of a head, rounded as DiagonalScan.cpp does, bit for bit: states that differ
/// in the last bit round to different codes now and then, and go apart.
static Float8 step(const Systems &systems, int64_t at, Float8 before, float u) {
  return multiplyAdd(load<Float8>(&systems.a[at]), before,
                     load<Float8>(&systems.b[at]) * Float8(u));
}

static Float8 loadBefore(const float *before, int64_t count) {
  return before ? loadPartial(before, count) : Float8(0.0f);
}

static void stepAll(const RoundedScan &scan, const Systems &systems, const float *u,
                    const float *before, float *state, float *y) {
  for (int64_t head = 0; head < scan.heads; ++head) {
    Float8 sums(0.0f);
    for (int64_t i = 0; i < systems.width; i += kLanes) {
      int64_t count = std::min(kLanes, systems.width - i), at = head * systems.padded + i;
      int64_t own = head * systems.width + i;
      Float8 next = step(systems, at, loadBefore(before ? before + own : nullptr, count), u[head]);
      sums = fma(-kSigns * load<Float8>(&systems.c[at]), next, sums);
      storePartial(state + own, next, count);
    }
    y[head] = 2 * sum(sums);
  }
}

Error ssmq::runRoundedScan(const RoundedScan &scan, RoundState round, float *y, float *states) {
  Systems systems(scan);
  int64_t size = scan.getStateSize();
  std::mutex mutex;
  Error first = Error::success();
  parallelFor(scan.threads, scan.batch, [&](int64_t begin, int64_t end) {
    std::vector<float> turns(states ? 0 : 2 * size);
    auto getState = [&](int64_t t) {
      return states ? states + t * size : turns.data() + t % 2 * size;
    };
    for (int64_t t = begin * scan.steps; t < end * scan.steps; ++t) {
      float *state = getState(t);
      const float *before = t % scan.steps ? getState(t - 1) : nullptr;
      stepAll(scan, systems, scan.u + t * scan.heads, before, state, y + t * scan.heads);
      if (Error error = round({state, static_cast<size_t>(size)})) {
        std::lock_guard<std::mutex> lock(mutex);
        if (first)
          consumeError(std::move(error));
        else
          first = std::move(error);
        return;
      }
    }
  });
  return first;
}

namespace {
/// Sums over the steps of one sequence, and the gradient by the state, in padded rows.
struct Sums {
  std::vector<float> a, b, c, state;

  explicit Sums(size_t size) : a(size), b(size), c(size), state(size) {}
};
} // namespace

/// One step of one sequence, from its last to its first.
static void stepBack(const RoundedScan &scan, const Systems &systems, const GradientBounds &bounds,
                     int64_t t, const float *before, const float *ofY, float *ofU, Sums &sums) {
  const float *u = scan.u + t * scan.heads;
  const Float8 limit(bounds.limit);
  for (int64_t head = 0; head < scan.heads; ++head) {
    Float8 ofInput(0.0f), low(bounds.low[head]), high(bounds.high[head]);
    for (int64_t i = 0; i < systems.width; i += kLanes) {
      int64_t count = std::min(kLanes, systems.width - i), at = head * systems.padded + i;
      Float8 a = load<Float8>(&systems.a[at]), b = load<Float8>(&systems.b[at]);
      Float8 last = loadBefore(before ? before + head * systems.width + i : nullptr, count);
      Float8 state = step(systems, at, last, u[head]);
      // What the next step says about r_t, and y about s_t.
      Float8 passed = load<Float8>(&sums.state[at]);
      passed = __builtin_elementwise_min(__builtin_elementwise_max(passed, -limit), limit);
      passed = select((state >= low) & (state <= high), passed, Float8(0.0f));
      Float8 ofState = fma(Float8(2 * ofY[head]) * -kSigns, load<Float8>(&systems.c[at]), passed);
      ofInput = fma(b, ofState, ofInput);
      auto add = [&](std::vector<float> &sum, Float8 term) {
        store(&sum[at], load<Float8>(&sum[at]) + term);
      };
      add(sums.a, multiplyConjugate(last, ofState));
      add(sums.b, Float8(u[head]) * ofState);
      add(sums.c, Float8(2 * ofY[head]) * -kSigns * state);
      store(&sums.state[at], multiplyConjugate(a, ofState));
    }
    ofU[head] = sum(ofInput);
  }
}

void ssmq::runRoundedScanGradient(const RoundedScan &scan, const float *states, const float *ofY,
                                  const GradientBounds &bounds,
                                  const RoundedScanGradient &gradient) {
  Systems systems(scan);
  int64_t size = scan.getStateSize();
  std::vector<Sums> sums(scan.batch, Sums(systems.a.size()));
  parallelFor(scan.threads, scan.batch, [&](int64_t begin, int64_t end) {
    for (int64_t t = end * scan.steps - 1; t >= begin * scan.steps; --t) {
      const float *before = t % scan.steps ? states + (t - 1) * size : nullptr;
      stepBack(scan, systems, bounds, t, before, ofY + t * scan.heads, gradient.u + t * scan.heads,
               sums[t / scan.steps]);
    }
  });
  // Sequence by sequence, so that the sums do not depend on threads.
  auto reduce = [&](std::vector<float> Sums::*part, float *to) {
    std::fill_n(to, size, 0.0f);
    for (const Sums &one : sums)
      for (int64_t i = 0; i < size; ++i)
        to[i] += (one.*part)[i / systems.width * systems.padded + i % systems.width];
  };
  reduce(&Sums::a, gradient.a);
  reduce(&Sums::b, gradient.b);
  reduce(&Sums::c, gradient.c);
}
