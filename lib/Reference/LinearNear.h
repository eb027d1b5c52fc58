//===- LinearNear.h - Linear layers near a known run ------------*- C++ -*-===//
//
// y = y0 + (x - x0) W0ᵀ + x (W - W0)ᵀ: both differences are small and go through byte products.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFERENCE_LINEARNEAR_H
#define SSMQ_REFERENCE_LINEARNEAR_H

#include "ssmq/Interfaces/EvaluableOpInterface.h"

namespace mlir::ssm {

/// The weight [O, I] in bytes; null for a null weight, and for one that bytes cannot hold well.
std::shared_ptr<const PreparedOperands> prepareLinear(const ::ssmq::Tensor &weight);

/// A known product.
struct LinearChange {
  const ::ssmq::Tensor &input, &weight, &result;
};

/// Whether both share their bytes.
inline bool isSame(const ::ssmq::Tensor &a, const ::ssmq::Tensor &b) {
  return a.getRawData() == b.getRawData();
}

/// x [T, I] and weight [O, I] in f32 -> [T, O]; null where shapes differ from the known ones.
::ssmq::Tensor linearNear(const ::ssmq::Tensor &input, const ::ssmq::Tensor &weight,
                          const LinearChange &known, const PreparedOperands &prepared,
                          const ::ssmq::KernelOptions &options);

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_LINEARNEAR_H
