//===- FloatGrids.h - Float formats in generated code -----------*- C++ -*-===//
//
// The arithmetic of lib/Formats in generated code, bit for bit, for f16 and bf16, which have no
// scale, and f8E4M3, f8E5M2 and mxfp4, which have one a run. What the interpreter refuses gives
// values that are not finite.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_CONVERSION_ROUNDING_FLOATGRIDS_H
#define SSMQ_CONVERSION_ROUNDING_FLOATGRIDS_H

#include "ssmq/Conversion/Rounding/IntegerGrids.h"
#include "ssmq/Formats/SmallFloat.h"

namespace mlir::ssm {

class FloatGrids {
public:
  static bool handles(const ::ssmq::Numerics &numerics) { return getKind(numerics).has_value(); }
  /// None for numerics of another kind.
  static std::optional<FloatGrids> of(ImplicitLocOpBuilder &b, const ::ssmq::Numerics &numerics);

  bool hasScale() const { return kind >= Kind::Scaled; }
  /// Scalars: the scale of a run whose largest magnitude is `width`.
  IntegerGrid fit(Value width);
  /// Scalars or vectors.
  Value round(Value x, const IntegerGrid &grid);

private:
  enum class Kind : uint8_t { Half, BFloat, Scaled, Microscaled };

  FloatGrids(ImplicitLocOpBuilder &b, Kind kind, ::ssmq::SmallFloat type)
      : b(b), kind(kind), type(type) {}
  static std::optional<std::pair<Kind, ::ssmq::SmallFloat>>
  getKind(const ::ssmq::Numerics &numerics);
  Value fitScale(Value width);
  Value toSmallFloat(Value x);

  ImplicitLocOpBuilder &b;
  Kind kind;
  ::ssmq::SmallFloat type;
};

} // namespace mlir::ssm

#endif // SSMQ_CONVERSION_ROUNDING_FLOATGRIDS_H
