//===- Linear.h - Dense layers ----------------------------------*- C++ -*-===//
//
// y = x Wᵀ + b as torch.nn.Linear stores it: one row of the weight per output feature.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_LINEAR_H
#define SSMQ_KERNELS_LINEAR_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

/// x [T, I], weight [O, I], bias [O] or absent -> [T, O].
Tensor linear(const Tensor &x, const Tensor &weight, const Tensor &bias,
              const KernelOptions &options);

} // namespace ssmq

#endif // SSMQ_KERNELS_LINEAR_H
