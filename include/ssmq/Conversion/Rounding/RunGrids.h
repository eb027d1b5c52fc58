//===- RunGrids.h - Grids of all formats that kernels round to --*- C++ -*-===//

#ifndef SSMQ_CONVERSION_ROUNDING_RUNGRIDS_H
#define SSMQ_CONVERSION_ROUNDING_RUNGRIDS_H

#include "ssmq/Conversion/Rounding/FloatGrids.h"
#include "ssmq/Conversion/Rounding/IntegerGrids.h"

namespace mlir::ssm {

/// Integers, or floats.
class RunGrids {
public:
  RunGrids(ImplicitLocOpBuilder &b, const ::ssmq::Numerics &numerics)
      : integers(b, numerics), b(b), floats(FloatGrids::of(b, numerics)) {}

  /// Whether generated code can round to numerics, in runs found in a step or calibrated.
  static bool handles(const ::ssmq::Numerics &numerics);
  /// Whether runs have grids: f16 and bf16 need none.
  bool hasGrids() const { return !floats || floats->hasScale(); }

  IntegerGrid fitSymmetric(Value width) {
    return floats ? floats->fit(width) : integers.fitSymmetric(width);
  }
  IntegerGrid fitAsymmetric(Value low, Value high) { return integers.fitAsymmetric(low, high); }
  /// x in the format, NaN where it is not finite; x and the grid are both scalars or both vectors.
  Value round(Value x, const IntegerGrid &grid);

  IntegerGrids integers;

private:
  ImplicitLocOpBuilder &b;
  std::optional<FloatGrids> floats;
};

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_ROUNDING_RUNGRIDS_H
