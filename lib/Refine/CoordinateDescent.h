//===- CoordinateDescent.h - Better codes, one at a time --------*- C++ -*-===//

#ifndef SSMQ_LIB_REFINE_COORDINATEDESCENT_H
#define SSMQ_LIB_REFINE_COORDINATEDESCENT_H

#include "ssmq/Refine/GPTQ.h"

namespace ssmq {

/// Lowers e H e^T (with the damping of `options` in H) of each row e of weight - result further:
/// each code in turn becomes the best one for all others as they are (QuantEase, arXiv 2309.01885),
/// and after each sweep each scale becomes the one of least squares for its codes. No step makes
/// the error larger.
void improveCodes(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
                  const GPTQOptions &options, QuantizedTensor &result);

} // namespace ssmq

#endif // SSMQ_LIB_REFINE_COORDINATEDESCENT_H
