//===- SelectiveScan.cpp - Mamba-1 selective scan -------------------------===//

#include "ssmq/Kernels/SelectiveScan.h"

#include "HookedScan.h"
#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cmath>

using namespace ssmq;
using namespace ssmq::simd;

namespace {
struct Scan {
  const float *x, *dt, *a, *b, *c, *dSkip, *state;
  float *y, *newState;
  int64_t tokens, channels, width; // width is N
};
} // namespace

static void scanReference(const Scan &scan, int64_t d) {
  int64_t width = scan.width;
  const float *a = scan.a + d * width;
  llvm::SmallVector<double> h(scan.state + d * width, scan.state + (d + 1) * width);
  for (int64_t t = 0; t < scan.tokens; ++t) {
    double x = scan.x[t * scan.channels + d], dt = scan.dt[t * scan.channels + d];
    double y = scan.dSkip ? scan.dSkip[d] * x : 0.0;
    for (int64_t n = 0; n < width; ++n) {
      h[n] = std::exp(dt * a[n]) * h[n] + dt * scan.b[t * width + n] * x;
      y += scan.c[t * width + n] * h[n];
    }
    scan.y[t * scan.channels + d] = static_cast<float>(y);
  }
  llvm::transform(h, scan.newState + d * width, [](double v) { return static_cast<float>(v); });
}

/// Eight channels side by side: their states lie as [N][8], so that the sum over N needs no
/// horizontal adds and N may be any number.
static void scanFast(const Scan &scan, int64_t first) {
  int64_t width = scan.width, lanes = std::min<int64_t>(8, scan.channels - first);
  llvm::SmallVector<float, 256> h(width * 8), a(width * 8); // unused lanes stay zero
  auto gather = [&](const float *from, llvm::MutableArrayRef<float> to) {
    for (int64_t n = 0; n < width; ++n)
      for (int64_t lane = 0; lane < lanes; ++lane)
        to[n * 8 + lane] = from[(first + lane) * width + n];
  };
  gather(scan.state, h);
  gather(scan.a, a);
  Float8 skip = scan.dSkip ? loadPartial(scan.dSkip + first, lanes) : Float8(0.0f);
  for (int64_t t = 0; t < scan.tokens; ++t) {
    int64_t row = t * scan.channels + first;
    Float8 x = loadPartial(scan.x + row, lanes), dt = loadPartial(scan.dt + row, lanes);
    Float8 dtx = dt * x;
    Float8 y = skip * x;
    const float *b = scan.b + t * width, *c = scan.c + t * width;
    for (int64_t n = 0; n < width; ++n) {
      Float8 decay = exp(dt * load<Float8>(&a[n * 8]));
      Float8 next = fma(decay, load<Float8>(&h[n * 8]), dtx * b[n]);
      y = fma(Float8(c[n]), next, y);
      store(&h[n * 8], next);
    }
    storePartial(scan.y + row, y, lanes);
  }
  for (int64_t n = 0; n < width; ++n)
    for (int64_t lane = 0; lane < lanes; ++lane)
      scan.newState[(first + lane) * width + n] = h[n * 8 + lane];
}

static void scanAll(const Scan &scan, const KernelOptions &options) {
  if (options.set == KernelSet::Reference)
    parallelFor(options.threads, scan.channels, [&](int64_t begin, int64_t end) {
      for (int64_t d = begin; d < end; ++d)
        scanReference(scan, d);
    });
  else
    parallelFor(options.threads, (scan.channels + 7) / 8, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block)
        scanFast(scan, block * 8);
    });
}

SelectiveScanResult ssmq::selectiveScan(const Tensor &x, const Tensor &dt, const Tensor &a,
                                        const Tensor &b, const Tensor &c, const Tensor &dSkip,
                                        const Tensor &state, const KernelOptions &options,
                                        StateHook hook) {
  SelectiveScanResult result = {Tensor::empty(DType::F32, x.getShape()),
                                Tensor::empty(DType::F32, state.getShape())};
  auto data = [](const Tensor &tensor) { return tensor ? tensor.data<float>().data() : nullptr; };
  Scan scan = {data(x),
               data(dt),
               data(a),
               data(b),
               data(c),
               data(dSkip),
               data(state),
               result.y.mutableData<float>().data(),
               result.state.mutableData<float>().data(),
               x.getDim(0),
               x.getDim(1),
               state.getDim(1)};
  if (hook)
    scanWithHook(
        scan, state.getNumElements(), hook, [&](const Scan &step) { scanAll(step, options); },
        [](Scan &step) {
          step.x += step.channels;
          step.dt += step.channels;
          step.b += step.width;
          step.c += step.width;
          step.y += step.channels;
        });
  else
    scanAll(scan, options);
  return result;
}
