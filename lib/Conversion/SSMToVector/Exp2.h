//===- Exp2.h - Powers of two for decays ------------------------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_EXP2_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_EXP2_H

#include "KernelBuilder.h"

namespace mlir::ssm {

inline constexpr float kLog2E = 1.44269504f;

/// 2^x of a vector, in a little more than half the operations of math.exp: relative error below
/// 2e-7, exactly 1 at 0, NaN at NaN; x is taken as -126 or 127 beyond these, where a decay is
/// nothing.
Value emitExp2(KernelBuilder &k, Value x);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_EXP2_H
