//===- IntegerGrids.h - Grids of integer formats in generated code -*- C++ -*-===//
//
// The arithmetic of lib/Formats/IntegerNumerics in generated code, bit for bit: a range gives a
// grid, and the grid the codes. What the interpreter refuses (values that are not finite, or too
// large for the scale) makes the scale NaN or infinite, so that what is computed from it is not
// finite either.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_CONVERSION_ROUNDING_INTEGERGRIDS_H
#define SSMQ_CONVERSION_ROUNDING_INTEGERGRIDS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "ssmq/Formats/Numerics.h"
#include <array>

namespace mlir::ssm {

/// Scalars in f32, or vectors where every lane has its own. Codes are in steps of the scale from
/// zero; `lowValue` and `highValue`, from where on values take the codes at the ends, are null in
/// symmetric formats.
struct IntegerGrid {
  Value scale, divisor, lowCode, highCode, lowValue, highValue;
};

class IntegerGrids {
public:
  IntegerGrids(ImplicitLocOpBuilder &b, const ::ssmq::Numerics &numerics)
      : b(b), bits(numerics.getCodeBits()), isSymmetric(!numerics.isAsymmetric()) {}

  /// Scalars: the grid of a range around zero. Symmetric formats take the largest magnitude.
  IntegerGrid fitSymmetric(Value width);
  IntegerGrid fitAsymmetric(Value low, Value high);
  /// The grid of a calibrated range, and its numbers in the order of IntegerGrid.
  IntegerGrid fitStatic(const ::ssmq::RunGrid &grid);
  static constexpr int64_t kParts = 6;
  static std::array<float, kParts> getParts(const ::ssmq::RunGrid &grid);

  /// Codes in steps from zero, as whole f32; x and the grid are both scalars or both vectors.
  Value roundToSteps(Value x, const IntegerGrid &grid);
  /// `rounded`, NaN where x is not finite.
  Value keepNonFinite(Value x, Value rounded);

private:
  Value constant(float value);
  Value roundScaleUp(Value scale);
  std::pair<Value, Value> fixEnds(const IntegerGrid &grid);

  ImplicitLocOpBuilder &b;
  int64_t bits;
  bool isSymmetric;
};

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_ROUNDING_INTEGERGRIDS_H
