//===- IntegerScanConstants.cpp - Multipliers that cannot overflow --------===//
//
// Bounds are of exact arithmetic on the codes of a head, in integers that doubles hold exactly, or
// of products past the largest i32.
//
//===----------------------------------------------------------------------===//

#include "ssmq/Kernels/IntegerDiagonalScan.h"
#include "ssmq/Support/Error.h"
#include <cmath>
#include <cstdlib>

using namespace ssmq;
using Codes = IntegerScanHead::Codes;
using Constant = IntegerScanConstant;

static constexpr double kMost = 2147483647.0;
/// Of the code of an input.
static constexpr double kMostInput = 128;
/// Of bits behind the point of a state before it is rounded.
static constexpr int kMostShift = 30, kLeastShift = 8;

static double half(int shift) { return shift ? std::ldexp(1.0, shift - 1) : 0; }

/// What x >> shift makes of numbers up to `most`.
static double shifted(double most, int shift) {
  return std::floor((most + half(shift)) / std::ldexp(1.0, shift));
}

static double getMost(const Codes &of) {
  double most = 0;
  for (int8_t code : of.codes)
    most = std::max<double>(most, std::abs(code - of.zero));
  return most;
}

static double getSum(const Codes &of) {
  double sum = 0;
  for (int8_t code : of.codes)
    sum += std::abs(code - of.zero);
  return sum;
}

/// The multiplier of a for states with `shift` bits behind the point, and the largest |re| + |im|
/// that it makes of a code, which bounds both parts of a product with parts of at most 1.
static std::optional<std::pair<int32_t, double>> fitSystem(const Codes &a, int shift) {
  double value = std::nearbyint(std::ldexp(double(a.scale), shift + int(kIntegerScanAShift)));
  // Not a number fails too.
  if (!(value * getMost(a) + half(kIntegerScanAShift) <= kMost) || value > kMost)
    return std::nullopt;
  double most = 0;
  auto part = [&](size_t n) {
    return shifted(std::abs(a.codes[n] - a.zero) * value, kIntegerScanAShift);
  };
  for (size_t n = 0; n < a.codes.size(); n += 2)
    most = std::max(most, part(n) + part(n + 1));
  return std::pair(static_cast<int32_t>(value), most);
}

/// `factor` as value / 2^shift with the most bits that keep the product with a code of the input in
/// an i32; none when there is none.
static std::optional<std::pair<int32_t, int>> fitInput(double factor) {
  for (int shift = kMostShift; shift >= 0; --shift) {
    double value = std::nearbyint(std::ldexp(factor, shift));
    if (value * kMostInput + half(shift) <= kMost)
      return std::pair(static_cast<int32_t>(value), shift);
  }
  return std::nullopt;
}

llvm::Expected<IntegerScanConstants> ssmq::fitIntegerScan(const IntegerScanHead &head) {
  double stateScale = head.stateScale, inputScale = head.inputScale;
  if (!(stateScale > 0) || !std::isfinite(stateScale))
    return makeError("its state has no range");
  // Any byte of a state stands for a number of [lowest, lowest + 255].
  double mostState = std::max(-head.lowest, head.lowest + 255);
  for (int shift = kMostShift; shift >= kLeastShift; --shift) {
    auto system = fitSystem(head.a, shift);
    auto input = fitInput(std::ldexp(head.b.scale * inputScale / stateScale, shift));
    if (!system || !input)
      continue;
    double most = system->second * mostState +
                  getMost(head.b) * shifted(input->first * kMostInput, input->second);
    if (most + half(shift) > kMost)
      continue;
    int sumShift = 0;
    while (shifted(most, sumShift) * getSum(head.c) > kMost || most + half(sumShift) > kMost)
      if (++sumShift > shift)
        return makeError("its c is too large for 32 bits");
    IntegerScanConstants constants;
    constants[Constant::AZero] = head.a.zero;
    constants[Constant::BZero] = head.b.zero;
    constants[Constant::CZero] = head.c.zero;
    constants[Constant::AMultiplier] = system->first;
    constants[Constant::InputMultiplier] = input->first;
    constants[Constant::InputShift] = input->second;
    constants[Constant::StateShift] = shift;
    constants[Constant::SumShift] = sumShift;
    constants[Constant::Lowest] = head.lowest;
    constants[Constant::Highest] = head.highest;
    // Twice: the conjugates of the states are not kept.
    constants.outputScale =
        static_cast<float>(std::ldexp(2.0 * head.c.scale * stateScale, sumShift - shift));
    if (!std::isfinite(constants.outputScale))
      return makeError("its c is too large for 32 bits");
    return constants;
  }
  return makeError("its a, or its b times its input, is too large for 32 bits beside its state");
}
