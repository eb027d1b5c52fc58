//===- Elementwise.cpp - Elementwise f32 maths ----------------------------===//

#include "ssmq/Kernels/Elementwise.h"

#include "Simd.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/Support/ErrorHandling.h"
#include <cmath>
#include <limits>

using namespace ssmq;
using namespace ssmq::simd;

using UnaryLoop = void (*)(const float *in, float *out, int64_t n);
using BinaryLoop = void (*)(const float *lhs, const float *rhs, float *out, int64_t n);

template <float (*F)(float)>
static void loop(const float *in, float *out, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = F(in[i]);
}

template <float (*F)(float, float)>
static void loop(const float *lhs, const float *rhs, float *out, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = F(lhs[i], rhs[i]);
}

static float negate(float x) { return -x; }
static float rsqrt(float x) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(x))); }
static float add(float a, float b) { return a + b; }
static float subtract(float a, float b) { return a - b; }
static float multiply(float a, float b) { return a * b; }
static float divide(float a, float b) { return a / b; }

/// IEEE 754-2019 maximum and minimum: NaN wins, and -0 is below +0.
static float maximum(float a, float b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<float>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
static float minimum(float a, float b) { return -maximum(-a, -b); }
static float maxNum(float a, float b) {
  return std::isnan(a) ? b : std::isnan(b) ? a : maximum(a, b);
}
static float minNum(float a, float b) {
  return std::isnan(a) ? b : std::isnan(b) ? a : minimum(a, b);
}

static void expFast(const float *in, float *out, int64_t n) {
  map(in, out, n, [](Float8 v) { return simd::exp(v); });
}
static void log1pFast(const float *in, float *out, int64_t n) {
  map(in, out, n, [](Float8 v) { return simd::log1p(v); });
}
static void tanhFast(const float *in, float *out, int64_t n) {
  map(in, out, n, [](Float8 v) { return simd::tanh(v); });
}
static void rsqrtFast(const float *in, float *out, int64_t n) {
  map(in, out, n, [](Float8 v) { return 1.0f / __builtin_elementwise_sqrt(v); });
}

/// Loops of machine instructions are vectorised by the compiler with the same bits, so only the
/// others have a fast form of their own.
static UnaryLoop getLoop(UnaryOp op, KernelSet set) {
  bool fast = set == KernelSet::Fast;
  switch (op) {
  case UnaryOp::Neg: return loop<negate>;
  case UnaryOp::Abs: return loop<std::fabs>;
  case UnaryOp::Exp: return fast ? expFast : loop<std::exp>;
  case UnaryOp::Expm1: return loop<std::expm1>;
  case UnaryOp::Log: return loop<std::log>;
  case UnaryOp::Log1p: return fast ? log1pFast : loop<std::log1p>;
  case UnaryOp::Sqrt: return loop<std::sqrt>;
  case UnaryOp::Rsqrt: return fast ? rsqrtFast : loop<rsqrt>;
  case UnaryOp::Tanh: return fast ? tanhFast : loop<std::tanh>;
  case UnaryOp::Erf: return loop<std::erf>;
  case UnaryOp::Sin: return loop<std::sin>;
  case UnaryOp::Cos: return loop<std::cos>;
  }
  llvm_unreachable("all unary ops have a loop");
}

static BinaryLoop getLoop(BinaryOp op) {
  switch (op) {
  case BinaryOp::Add: return loop<add>;
  case BinaryOp::Sub: return loop<subtract>;
  case BinaryOp::Mul: return loop<multiply>;
  case BinaryOp::Div: return loop<divide>;
  case BinaryOp::Maximum: return loop<maximum>;
  case BinaryOp::Minimum: return loop<minimum>;
  case BinaryOp::MaxNum: return loop<maxNum>;
  case BinaryOp::MinNum: return loop<minNum>;
  case BinaryOp::Pow: return loop<std::pow>;
  }
  llvm_unreachable("all binary ops have a loop");
}

void ssmq::applyUnary(UnaryOp op, llvm::ArrayRef<float> in, llvm::MutableArrayRef<float> out,
                      const KernelOptions &options) {
  UnaryLoop run = getLoop(op, options.set);
  parallelFor(options.threads, in.size(), [&](int64_t begin, int64_t end) {
    run(in.data() + begin, out.data() + begin, end - begin);
  });
}

void ssmq::applyBinary(BinaryOp op, llvm::ArrayRef<float> lhs, llvm::ArrayRef<float> rhs,
                       llvm::MutableArrayRef<float> out, const KernelOptions &options) {
  BinaryLoop run = getLoop(op);
  parallelFor(options.threads, lhs.size(), [&](int64_t begin, int64_t end) {
    run(lhs.data() + begin, rhs.data() + begin, out.data() + begin, end - begin);
  });
}

Tensor ssmq::applyUnary(UnaryOp op, const Tensor &in, const KernelOptions &options) {
  Tensor result = Tensor::empty(DType::F32, in.getShape());
  applyUnary(op, in.data<float>(), result.mutableData<float>(), options);
  return result;
}

Tensor ssmq::applyBinary(BinaryOp op, const Tensor &lhs, const Tensor &rhs,
                         const KernelOptions &options) {
  Tensor result = Tensor::empty(DType::F32, lhs.getShape());
  applyBinary(op, lhs.data<float>(), rhs.data<float>(), result.mutableData<float>(), options);
  return result;
}
