//===- SSDScan.cpp - Mamba-2 state space duality scan ---------------------===//

#include "ssmq/Kernels/SSDScan.h"

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
  int64_t tokens, heads, headDim, width, groups; // headDim is P, width is N
};
} // namespace

static void scanReference(const Scan &scan, int64_t h) {
  int64_t width = scan.width, headDim = scan.headDim, group = h / (scan.heads / scan.groups);
  const float *initial = scan.state + h * headDim * width;
  llvm::SmallVector<double, 0> state(initial, initial + headDim * width);
  for (int64_t t = 0; t < scan.tokens; ++t) {
    double dt = scan.dt[t * scan.heads + h], decay = std::exp(dt * scan.a[h]);
    const float *b = scan.b + (t * scan.groups + group) * width;
    const float *c = scan.c + (t * scan.groups + group) * width;
    const float *x = scan.x + (t * scan.heads + h) * headDim;
    float *y = scan.y + (t * scan.heads + h) * headDim;
    for (int64_t p = 0; p < headDim; ++p) {
      double sum = scan.dSkip ? static_cast<double>(scan.dSkip[h]) * x[p] : 0.0;
      double *row = state.data() + p * width;
      for (int64_t n = 0; n < width; ++n) {
        row[n] = decay * row[n] + dt * x[p] * b[n];
        sum += row[n] * c[n];
      }
      y[p] = static_cast<float>(sum);
    }
  }
  llvm::transform(state, scan.newState + h * headDim * width,
                  [](double v) { return static_cast<float>(v); });
}

namespace {
// The state is cut into tiles that stay in registers for all tokens: `tileVectors` x 8 rows of P
// side by side and `tileStates` columns of N. Against the chunked matrix form this costs three
// instead of about two and a half multiply-adds per state element and token, needs no masks or
// prefix sums, and is exact at every position.
constexpr int tileStates = 4, tileVectors = 2, tileRows = 8 * tileVectors;

/// b and c are padded to whole tiles: [T, paddedWidth], row stride `stride`.
struct HeadTile {
  const float *decay, *dtx, *b, *c; // dtx [T, paddedRows]
  float *y;                         // [T, paddedRows]
  int64_t tokens, paddedRows, stride;
};
} // namespace

static void scanTile(const HeadTile &tile, Float8 (&state)[tileStates][tileVectors]) {
  const float *dtx = tile.dtx, *b = tile.b, *c = tile.c;
  float *y = tile.y;
  for (int64_t t = 0; t < tile.tokens; ++t) {
    Float8 decay(tile.decay[t]);
    Float8 x[tileVectors], sums[tileVectors];
    for (int v = 0; v < tileVectors; ++v) {
      x[v] = load<Float8>(dtx + v * 8);
      sums[v] = load<Float8>(y + v * 8);
    }
    for (int n = 0; n < tileStates; ++n)
      for (int v = 0; v < tileVectors; ++v) {
        state[n][v] = fma(decay, state[n][v], x[v] * b[n]);
        sums[v] = fma(Float8(c[n]), state[n][v], sums[v]);
      }
    for (int v = 0; v < tileVectors; ++v)
      store(y + v * 8, sums[v]);
    dtx += tile.paddedRows;
    y += tile.paddedRows;
    b += tile.stride;
    c += tile.stride;
  }
}

static void scanHeadFast(const Scan &scan, int64_t h, const float *b, const float *c,
                         int64_t stride) {
  int64_t headDim = scan.headDim, width = scan.width, tokens = scan.tokens;
  int64_t paddedRows = (headDim + tileRows - 1) / tileRows * tileRows;
  llvm::SmallVector<float, 0> decay(tokens), dtx(tokens * paddedRows), y(tokens * paddedRows);
  for (int64_t t = 0; t < tokens; ++t)
    decay[t] = scan.dt[t * scan.heads + h] * scan.a[h];
  map(decay.data(), decay.data(), tokens, [](Float8 v) { return exp(v); });
  Float8 skip(scan.dSkip ? scan.dSkip[h] : 0.0f);
  for (int64_t t = 0; t < tokens; ++t) {
    const float *x = scan.x + (t * scan.heads + h) * headDim;
    Float8 dt(scan.dt[t * scan.heads + h]);
    map(x, dtx.data() + t * paddedRows, headDim, [=](Float8 v) { return v * dt; });
    map(x, y.data() + t * paddedRows, headDim, [=](Float8 v) { return v * skip; });
  }
  const float *initial = scan.state + h * headDim * width;
  float *final = scan.newState + h * headDim * width;
  for (int64_t p = 0; p < headDim; p += tileRows)
    for (int64_t n = 0; n < width; n += tileStates) {
      int64_t rows = std::min<int64_t>(tileRows, headDim - p);
      int64_t states = std::min<int64_t>(tileStates, width - n);
      Float8 state[tileStates][tileVectors] = {};
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t s = 0; s < states; ++s)
          state[s][r / 8][r % 8] = initial[(p + r) * width + n + s];
      scanTile(
          {decay.data(), dtx.data() + p, b + n, c + n, y.data() + p, tokens, paddedRows, stride},
          state);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t s = 0; s < states; ++s)
          final[(p + r) * width + n + s] = state[s][r / 8][r % 8];
    }
  for (int64_t t = 0; t < tokens; ++t)
    std::copy_n(y.data() + t * paddedRows, headDim, scan.y + (t * scan.heads + h) * headDim);
}

/// [T, G*N] -> [T, G*paddedN] with zeros behind each group.
static llvm::SmallVector<float, 0> padGroups(const float *from, const Scan &scan, int64_t padded) {
  llvm::SmallVector<float, 0> to(scan.tokens * scan.groups * padded);
  for (int64_t row = 0; row < scan.tokens * scan.groups; ++row)
    std::copy_n(from + row * scan.width, scan.width, to.data() + row * padded);
  return to;
}

static void scanFast(const Scan &scan, unsigned threads) {
  int64_t padded = (scan.width + tileStates - 1) / tileStates * tileStates;
  llvm::SmallVector<float, 0> b = padGroups(scan.b, scan, padded);
  llvm::SmallVector<float, 0> c = padGroups(scan.c, scan, padded);
  parallelFor(threads, scan.heads, [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) {
      int64_t offset = h / (scan.heads / scan.groups) * padded;
      scanHeadFast(scan, h, b.data() + offset, c.data() + offset, scan.groups * padded);
    }
  });
}

/// One token in place, along the rows of the state: tiles pay only when they stay in registers for
/// many tokens.
static void stepHeadFast(const Scan &scan, int64_t h) {
  int64_t width = scan.width, headDim = scan.headDim, group = h / (scan.heads / scan.groups);
  const float *b = scan.b + group * width, *c = scan.c + group * width;
  Float8 decay = exp(Float8(scan.dt[h] * scan.a[h]));
  for (int64_t p = h * headDim; p < (h + 1) * headDim; ++p) {
    float *row = scan.newState + p * width;
    Float8 dtx(scan.dt[h] * scan.x[p]), sums(0.0f);
    int64_t n = 0;
    for (; n + 8 <= width; n += 8) {
      Float8 next = fma(decay, load<Float8>(row + n), dtx * load<Float8>(b + n));
      store(row + n, next);
      sums = fma(load<Float8>(c + n), next, sums);
    }
    if (int64_t count = width - n) {
      Float8 next = fma(decay, loadPartial(row + n, count), dtx * loadPartial(b + n, count));
      storePartial(row + n, next, count);
      sums = fma(loadPartial(c + n, count), next, sums);
    }
    scan.y[p] = sum(sums) + (scan.dSkip ? scan.dSkip[h] * scan.x[p] : 0.0f);
  }
}

static void scanReferenceHeads(const Scan &scan, unsigned threads) {
  parallelFor(threads, scan.heads, [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h)
      scanReference(scan, h);
  });
}

SSDScanResult ssmq::ssdScan(const Tensor &x, const Tensor &dt, const Tensor &a, const Tensor &b,
                            const Tensor &c, const Tensor &dSkip, const Tensor &state,
                            int64_t groups, const KernelOptions &options, StateHook hook) {
  SSDScanResult result = {Tensor::empty(DType::F32, x.getShape()),
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
               state.getDim(0),
               state.getDim(1),
               state.getDim(2),
               groups};
  if (hook)
    scanWithHook(
        scan, state.getNumElements(), hook,
        [&](const Scan &step) {
          if (options.set == KernelSet::Reference)
            return scanReferenceHeads(step, options.threads);
          for (int64_t h = 0; h < step.heads; ++h)
            stepHeadFast(step, h);
        },
        [](Scan &step) {
          step.x += step.heads * step.headDim;
          step.dt += step.heads;
          step.b += step.groups * step.width;
          step.c += step.groups * step.width;
          step.y += step.heads * step.headDim;
        });
  else if (options.set == KernelSet::Fast)
    scanFast(scan, options.threads);
  else
    scanReferenceHeads(scan, options.threads);
  return result;
}
