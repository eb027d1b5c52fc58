//===- StableScans.h - Systems whose states cannot grow ---------*- C++ -*-===//
//
// A diagonal system s = a s + b x is stable when |a| < 1 throughout. What is shown here is shown of
// the values of `a` as f32 holds them, with magnitudes in f64: a value below one is found so, and
// one of exactly 1 or just above never is.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_DIALECT_SSM_STABLESCANS_H
#define SSMQ_DIALECT_SSM_STABLESCANS_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::ssm {

class DiagonalScanOp;

/// Where the largest |a| of a head lies that is not below one.
struct UnstableHead {
  int64_t head = 0, state = 0;
  double magnitude = 0;
};

/// The heads with a |a| that is not below one, a NaN being none; `a` is row-major, heads x 2
/// states.
SmallVector<UnstableHead> findUnstableHeads(ArrayRef<float> a, int64_t numHeads);

/// Whether |a| < 1 follows from the format that `a` is stored in.
bool isStableByFormat(DiagonalScanOp op);

/// Shows |a| < 1 from the program alone, as `stable` demands; else an error at the op that says why
/// not.
LogicalResult verifyStable(DiagonalScanOp op);

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_STABLESCANS_H
