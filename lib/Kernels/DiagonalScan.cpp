//===- DiagonalScan.cpp - S4D's diagonal complex recurrence ---------------===//

#include "ssmq/Kernels/DiagonalScan.h"

#include "HookedScan.h"
#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace ssmq;
using namespace ssmq::simd;

namespace {
struct Scan {
  const float *x, *a, *b, *c, *d, *state;
  float *y, *newState;
  int64_t tokens, heads, states; // complex states a head
};
} // namespace

static void scanReference(const Scan &scan, int64_t head) {
  int64_t width = 2 * scan.states, first = head * width;
  const float *a = scan.a + first, *b = scan.b + first, *c = scan.c + first;
  llvm::SmallVector<double> s(scan.state + first, scan.state + first + width);
  for (int64_t t = 0; t < scan.tokens; ++t) {
    double x = scan.x[t * scan.heads + head], sum = 0;
    for (int64_t n = 0; n < width; n += 2) {
      double re = s[n], im = s[n + 1];
      s[n] = a[n] * re - a[n + 1] * im + b[n] * x;
      s[n + 1] = a[n] * im + a[n + 1] * re + b[n + 1] * x;
      sum += c[n] * s[n] - c[n + 1] * s[n + 1];
    }
    scan.y[t * scan.heads + head] = static_cast<float>(2 * sum + (scan.d ? scan.d[head] * x : 0.0));
  }
  llvm::transform(s, scan.newState + first, [](double v) { return static_cast<float>(v); });
}

/// Real and imaginary parts lie apart, so that lanes are states; unused ones stay zero.
static void scanFast(const Scan &scan, int64_t head) {
  int64_t padded = (scan.states + 7) / 8 * 8, first = head * 2 * scan.states;
  llvm::SmallVector<float, 512> values(8 * padded);
  auto part = [&](int64_t i) { return values.data() + i * padded; };
  const float *sources[] = {scan.a, scan.b, scan.c, scan.state};
  for (auto [i, source] : llvm::enumerate(sources))
    for (int64_t n = 0; n < scan.states; ++n) {
      part(2 * i)[n] = source[first + 2 * n];
      part(2 * i + 1)[n] = source[first + 2 * n + 1];
    }
  float *re = part(6), *im = part(7);
  for (int64_t t = 0; t < scan.tokens; ++t) {
    Float8 x(scan.x[t * scan.heads + head]), sums(0.0f);
    for (int64_t n = 0; n < padded; n += 8) {
      auto get = [&](int64_t i) { return load<Float8>(part(i) + n); };
      Float8 aRe = get(0), aIm = get(1), sRe = load<Float8>(re + n), sIm = load<Float8>(im + n);
      Float8 nextRe = fma(aRe, sRe, fma(-aIm, sIm, get(2) * x));
      Float8 nextIm = fma(aRe, sIm, fma(aIm, sRe, get(3) * x));
      sums = fma(get(4), nextRe, fma(-get(5), nextIm, sums));
      store(re + n, nextRe);
      store(im + n, nextIm);
    }
    float &y = scan.y[t * scan.heads + head];
    y = 2 * sum(sums) + (scan.d ? scan.d[head] * scan.x[t * scan.heads + head] : 0.0f);
  }
  for (int64_t n = 0; n < scan.states; ++n) {
    scan.newState[first + 2 * n] = re[n];
    scan.newState[first + 2 * n + 1] = im[n];
  }
}

static void scanAll(const Scan &scan, const KernelOptions &options) {
  auto scanHead = options.set == KernelSet::Reference ? scanReference : scanFast;
  parallelFor(options.threads, scan.heads, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; ++head)
      scanHead(scan, head);
  });
}

DiagonalScanResult ssmq::diagonalScan(const Tensor &x, const Tensor &a, const Tensor &b,
                                      const Tensor &c, const Tensor &d, const Tensor &state,
                                      const KernelOptions &options, StateHook hook) {
  DiagonalScanResult result = {Tensor::empty(DType::F32, x.getShape()),
                               Tensor::empty(DType::F32, state.getShape())};
  auto data = [](const Tensor &tensor) { return tensor ? tensor.data<float>().data() : nullptr; };
  Scan scan = {data(x),
               data(a),
               data(b),
               data(c),
               data(d),
               data(state),
               result.y.mutableData<float>().data(),
               result.state.mutableData<float>().data(),
               x.getDim(0),
               x.getDim(1),
               state.getDim(1) / 2};
  if (hook)
    scanWithHook(
        scan, state.getNumElements(), hook, [&](const Scan &step) { scanAll(step, options); },
        [](Scan &step) {
          step.x += step.heads;
          step.y += step.heads;
        });
  else
    scanAll(scan, options);
  return result;
}
