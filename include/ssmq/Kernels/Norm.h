//===- Norm.h - Normalisation -----------------------------------*- C++ -*-===//
//
// Statistics are taken per token; eps is added to the mean of squares (or variance) under the root.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_NORM_H
#define SSMQ_KERNELS_NORM_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

/// RMSNorm (arXiv 1910.07467): y = x / sqrt(mean(x^2) + eps) * weight, with the mean taken within
/// each of `groups` equal parts of D. x [T, D], weight [D] -> [T, D].
Tensor rmsNorm(const Tensor &x, const Tensor &weight, double eps, int64_t groups,
               const KernelOptions &options);

/// LayerNorm (arXiv 1607.06450) with the biased variance. x [T, D], weight [D], bias [D] or absent.
Tensor layerNorm(const Tensor &x, const Tensor &weight, const Tensor &bias, double eps,
                 const KernelOptions &options);

} // namespace ssmq

#endif // SSMQ_KERNELS_NORM_H
