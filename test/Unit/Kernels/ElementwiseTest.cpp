//===- ElementwiseTest.cpp - Elementwise f32 maths ------------------------===//

#include "ssmq/Kernels/Elementwise.h"

#include "KernelTestUtils.h"
#include <limits>

using namespace ssmq;
using namespace ssmq::testing;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float quietNaN = std::numeric_limits<float>::quiet_NaN();

float bitsToFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// Error in units of the spacing of floats at `exact`.
double getUlps(float actual, double exact) {
  auto rounded = static_cast<float>(exact);
  if (std::isnan(actual) || std::isnan(exact))
    return std::isnan(actual) && std::isnan(exact) ? 0 : infinity;
  if (std::isinf(actual) || std::isinf(rounded))
    return actual == rounded ? 0 : infinity;
  float magnitude = std::fabs(rounded);
  double spacing = std::nextafter(magnitude, infinity) - static_cast<double>(magnitude);
  return std::fabs(actual - exact) / spacing;
}

/// Worst error of the fast kernel over floats of all magnitudes and both signs.
double getWorstUlps(UnaryOp op, double (*exact)(double)) {
  std::vector<float> in, out;
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += 6007)
    in.push_back(bitsToFloat(static_cast<uint32_t>(bits)));
  out.resize(in.size());
  applyUnary(op, in, out, fast);
  double worst = 0;
  for (size_t i = 0; i < in.size(); ++i)
    worst = std::max(worst, getUlps(out[i], exact(in[i])));
  return worst;
}

float applyOne(UnaryOp op, float x, KernelOptions options) {
  float y;
  applyUnary(op, x, llvm::MutableArrayRef<float>(y), options);
  return y;
}

float applyOne(BinaryOp op, float a, float b, KernelOptions options) {
  float y;
  applyBinary(op, a, b, llvm::MutableArrayRef<float>(y), options);
  return y;
}

} // namespace

TEST(Elementwise, FastFunctionsAreBelowTwoUlps) {
  EXPECT_LT(getWorstUlps(UnaryOp::Exp, std::exp), 2);
  EXPECT_LT(getWorstUlps(UnaryOp::Log1p, std::log1p), 2);
  EXPECT_LT(getWorstUlps(UnaryOp::Tanh, std::tanh), 2);
  EXPECT_LT(getWorstUlps(UnaryOp::Rsqrt, [](double x) { return 1 / std::sqrt(x); }), 2);
}

TEST(Elementwise, SpecialValues) {
  for (KernelOptions options : {reference, fast}) {
    EXPECT_EQ(applyOne(UnaryOp::Exp, -infinity, options), 0);
    EXPECT_EQ(applyOne(UnaryOp::Exp, infinity, options), infinity);
    EXPECT_EQ(applyOne(UnaryOp::Exp, 88.8f, options), infinity);
    EXPECT_GT(applyOne(UnaryOp::Exp, -103.0f, options), 0);
    EXPECT_TRUE(std::isnan(applyOne(UnaryOp::Exp, quietNaN, options)));
    EXPECT_EQ(applyOne(UnaryOp::Log1p, -1, options), -infinity);
    EXPECT_EQ(applyOne(UnaryOp::Log1p, infinity, options), infinity);
    EXPECT_TRUE(std::isnan(applyOne(UnaryOp::Log1p, -1.5f, options)));
    EXPECT_TRUE(std::isnan(applyOne(UnaryOp::Log1p, quietNaN, options)));
    EXPECT_TRUE(std::signbit(applyOne(UnaryOp::Log1p, -0.0f, options)));
    EXPECT_TRUE(std::isnan(applyOne(BinaryOp::Maximum, quietNaN, 1, options)));
    EXPECT_TRUE(std::isnan(applyOne(BinaryOp::Minimum, 1, quietNaN, options)));
    EXPECT_EQ(applyOne(BinaryOp::MaxNum, quietNaN, 1, options), 1);
    EXPECT_EQ(applyOne(BinaryOp::MinNum, 1, quietNaN, options), 1);
    EXPECT_FALSE(std::signbit(applyOne(BinaryOp::Maximum, -0.0f, 0.0f, options)));
    EXPECT_TRUE(std::signbit(applyOne(BinaryOp::Minimum, 0.0f, -0.0f, options)));
  }
}

TEST(Elementwise, EveryUnaryOp) {
  const std::pair<UnaryOp, double (*)(double)> ops[] = {
      {UnaryOp::Neg, [](double x) { return -x; }},
      {UnaryOp::Abs, std::fabs},
      {UnaryOp::Exp, std::exp},
      {UnaryOp::Expm1, std::expm1},
      {UnaryOp::Log, std::log},
      {UnaryOp::Log1p, std::log1p},
      {UnaryOp::Sqrt, std::sqrt},
      {UnaryOp::Rsqrt, [](double x) { return 1 / std::sqrt(x); }},
      {UnaryOp::Tanh, std::tanh},
      {UnaryOp::Erf, std::erf},
      {UnaryOp::Sin, std::sin},
      {UnaryOp::Cos, std::cos}};
  Tensor in = random(1, {13}, 0.1f, 3);
  for (auto [op, exact] : ops) {
    Tensor expected = in.clone();
    for (float &value : expected.mutableData<float>())
      value = static_cast<float>(exact(value));
    for (KernelOptions options : {reference, fast, fastThreaded})
      expectClose(applyUnary(op, in, options), expected, 2e-7);
  }
}

TEST(Elementwise, EveryBinaryOp) {
  const std::pair<BinaryOp, float> ops[] = {
      {BinaryOp::Add, 5},    {BinaryOp::Sub, 1},     {BinaryOp::Mul, 6},
      {BinaryOp::Div, 1.5f}, {BinaryOp::Maximum, 3}, {BinaryOp::Minimum, 2},
      {BinaryOp::MaxNum, 3}, {BinaryOp::MinNum, 2},  {BinaryOp::Pow, 9}};
  for (auto [op, expected] : ops)
    for (KernelOptions options : {reference, fast})
      EXPECT_FLOAT_EQ(applyOne(op, 3, 2, options), expected);
}

TEST(Elementwise, BitsDoNotDependOnPosition) {
  Tensor in = random(1, {29}, -5, 5);
  Tensor whole = applyUnary(UnaryOp::Exp, in, fast);
  for (int64_t i = 0; i < 29; ++i)
    EXPECT_EQ(applyOne(UnaryOp::Exp, in.data<float>()[i], fast), whole.data<float>()[i]);
}
