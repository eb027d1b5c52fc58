//===- RunGrids.cpp - Grids of all formats that kernels round to ----------===//

#include "ssmq/Conversion/Rounding/RunGrids.h"

#include "Arithmetic.h"

using namespace mlir;
using namespace mlir::ssm;

bool RunGrids::handles(const ::ssmq::Numerics &numerics) {
  return numerics.getInteger() || FloatGrids::handles(numerics);
}

Value RunGrids::round(Value x, const IntegerGrid &grid) {
  Value rounded =
      floats ? floats->round(x, grid) : multiply(b, integers.roundToSteps(x, grid), grid.scale);
  return integers.keepNonFinite(x, rounded);
}
