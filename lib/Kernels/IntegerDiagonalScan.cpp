//===- IntegerDiagonalScan.cpp - S4D's recurrence in integers -------------===//

#include "ssmq/Kernels/IntegerDiagonalScan.h"

#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace ssmq;
using Constant = IntegerScanConstant;

/// An i32 that wraps: constants that no pass has made may overflow.
static int32_t wrap(uint32_t bits) { return static_cast<int32_t>(bits); }
static int32_t times(int32_t x, int32_t y) {
  return wrap(static_cast<uint32_t>(x) * static_cast<uint32_t>(y));
}
static int32_t plus(int32_t x, int32_t y) {
  return wrap(static_cast<uint32_t>(x) + static_cast<uint32_t>(y));
}
static int32_t minus(int32_t x, int32_t y) { return plus(x, times(y, -1)); }

/// floor(x / 2^shift + 1/2); shifts are taken modulo 32.
static int32_t shiftRight(int32_t x, int32_t shift) {
  shift &= 31;
  int32_t half = wrap((1u << shift) >> 1);
  return plus(x, half) >> shift;
}

/// 2N codes of a row less their zero point.
static llvm::SmallVector<int32_t> loadSteps(const Tensor &codes, unsigned bits, int64_t head,
                                            int64_t width, int32_t zero) {
  llvm::SmallVector<int32_t> steps(width);
  int64_t rowBytes = codes.getDim(1);
  llvm::ArrayRef<int8_t> row = codes.data<int8_t>().slice(head * rowBytes, rowBytes);
  for (int64_t n = 0; n < width; ++n) {
    int32_t code = bits == 8 ? row[n] : llvm::SignExtend32<4>(row[n / 2] >> (n % 2 * 4));
    steps[n] = minus(code, zero);
  }
  return steps;
}

static void scanHead(const IntegerScanOperands &ops, int64_t head, float *y, int8_t *newState) {
  int64_t heads = ops.state.getDim(0), width = ops.state.getDim(1), tokens = ops.codes.getDim(0);
  const int32_t *row = ops.constants.data<int32_t>().data() + head * IntegerScanConstants::kCount;
  auto get = [&](Constant which) { return row[static_cast<size_t>(which)]; };
  auto a = loadSteps(ops.a, ops.aBits, head, width, get(Constant::AZero));
  auto b = loadSteps(ops.b, ops.bBits, head, width, get(Constant::BZero));
  auto c = loadSteps(ops.c, ops.cBits, head, width, get(Constant::CZero));
  for (int32_t &step : a)
    step = shiftRight(times(step, get(Constant::AMultiplier)), kIntegerScanAShift);
  int32_t stateShift = get(Constant::StateShift), sumShift = get(Constant::SumShift);
  int32_t lowest = get(Constant::Lowest), highest = get(Constant::Highest);
  llvm::SmallVector<int32_t> s(width);
  // A byte stands for the one of its steps that is in [lowest, lowest + 255].
  for (int64_t n = 0; n < width; ++n) {
    int32_t byte = ops.state.data<int8_t>()[head * width + n];
    s[n] = plus(minus(byte, lowest) & 255, lowest);
  }
  float outputScale = ops.outputScales.data<float>()[head], d = ops.d.data<float>()[head];
  for (int64_t t = 0; t < tokens; ++t) {
    int32_t u = ops.codes.data<int8_t>()[t * ops.codes.getDim(1) + head];
    int32_t x = shiftRight(times(u, get(Constant::InputMultiplier)), get(Constant::InputShift));
    int32_t sum = 0;
    for (int64_t n = 0; n < width; n += 2) {
      int32_t re = minus(times(a[n], s[n]), times(a[n + 1], s[n + 1]));
      int32_t im = plus(times(a[n], s[n + 1]), times(a[n + 1], s[n]));
      re = plus(re, times(b[n], x));
      im = plus(im, times(b[n + 1], x));
      sum = plus(sum, minus(times(c[n], shiftRight(re, sumShift)),
                            times(c[n + 1], shiftRight(im, sumShift))));
      s[n] = std::max(lowest, std::min(highest, shiftRight(re, stateShift)));
      s[n + 1] = std::max(lowest, std::min(highest, shiftRight(im, stateShift)));
    }
    float ofStates = static_cast<float>(sum) * outputScale;
    float value = static_cast<float>(u) * ops.scales.data<float>()[t];
    y[t * heads + head] = ofStates + value * d;
  }
  for (int64_t n = 0; n < width; ++n)
    newState[head * width + n] = static_cast<int8_t>(s[n]);
}

DiagonalScanResult ssmq::integerDiagonalScan(const IntegerScanOperands &operands,
                                             unsigned threads) {
  int64_t heads = operands.state.getDim(0);
  DiagonalScanResult result = {Tensor::empty(DType::F32, {operands.codes.getDim(0), heads}),
                               Tensor::empty(DType::I8, operands.state.getShape())};
  float *y = result.y.mutableData<float>().data();
  int8_t *state = result.state.mutableData<int8_t>().data();
  parallelFor(threads, heads, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; ++head)
      scanHead(operands, head, y, state);
  });
  return result;
}
