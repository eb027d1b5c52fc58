//===- IntegerDiagonalScan.h - S4D's recurrence in integers -----*- C++ -*-===//
//
// The recurrence of DiagonalScan.h in 32-bit integers; the op ssm.integer_diagonal_scan says what
// is rounded where. A code stands for (code - zero point) * scale; complex numbers are neighbours,
// real and imaginary part. No float and no 64-bit number is met between the codes of the input and
// the sum over the states of a head.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_INTEGERDIAGONALSCAN_H
#define SSMQ_KERNELS_INTEGERDIAGONALSCAN_H

#include "ssmq/Kernels/DiagonalScan.h"
#include "llvm/Support/Error.h"
#include <array>

namespace ssmq {

/// What a head has beside its codes, in the order of its row of `constants`.
enum class IntegerScanConstant : uint8_t {
  AZero,
  BZero,
  CZero,
  AMultiplier,
  InputMultiplier,
  InputShift,
  StateShift,
  SumShift,
  Lowest,
  Highest
};

struct IntegerScanConstants {
  static constexpr int64_t kCount = 10;
  std::array<int32_t, kCount> values = {};
  /// Of the sum over the states.
  float outputScale = 0;

  int32_t &operator[](IntegerScanConstant which) { return values[static_cast<size_t>(which)]; }
};

/// Bits by which the steps of a times their multiplier are shifted.
inline constexpr unsigned kIntegerScanAShift = 7;

/// The numbers of one head of a quantized system.
struct IntegerScanHead {
  struct Codes {
    /// 2N codes.
    llvm::ArrayRef<int8_t> codes;
    int zero = 0;
    float scale = 0;
  };
  Codes a, b, c;
  float inputScale = 0, stateScale = 0;
  /// Steps of the state from zero, lowest <= 0 <= highest, at most 255 apart.
  int lowest = 0, highest = 0;
};

/// Constants with as many bits as provably fit: no i32 overflows, whatever the codes of the input
/// and the bytes of the state. Fails, naming what does not fit, when there are none.
llvm::Expected<IntegerScanConstants> fitIntegerScan(const IntegerScanHead &head);

struct IntegerScanOperands {
  /// i8 [T, at least H], f32 [T, 1].
  Tensor codes, scales;
  /// i8 [H, 2N], or [H, N] in 4 bits: the real part in the low nibble.
  Tensor a, b, c;
  /// i32 [H, kCount], f32 [H], f32 [H].
  Tensor constants, outputScales, d;
  /// i8 [H, 2N]: steps from zero, modulo 256.
  Tensor state;
  unsigned aBits = 8, bBits = 8, cBits = 8;
};

/// The same bits for any number of threads.
DiagonalScanResult integerDiagonalScan(const IntegerScanOperands &operands, unsigned threads);

} // namespace ssmq

#endif // SSMQ_KERNELS_INTEGERDIAGONALSCAN_H
