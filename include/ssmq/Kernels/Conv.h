//===- Conv.h - Causal depthwise convolution --------------------*- C++ -*-===//
//
// Cross-correlation along the tokens, as torch.nn.Conv1d(groups=C) with left padding:
// y[t, c] = bias[c] + sum_k weight[c, 0, k] * padded[t + k, c], padded = concat(state, x).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_CONV_H
#define SSMQ_KERNELS_CONV_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

struct ConvResult {
  Tensor y;     ///< [T, C]
  Tensor state; ///< [K-1, C], the last K-1 rows of `padded`, oldest first
};

/// x [T, C], weight [C, 1, K], bias [C] or absent, state [K-1, C] oldest first. A hook gets
/// each row of x as it enters the state: a token itself is computed from its row as it is, later
/// tokens and the next state from what the hook left. The rows of `state` are taken as they are.
ConvResult causalConv1d(const Tensor &x, const Tensor &weight, const Tensor &bias,
                        const Tensor &state, const KernelOptions &options,
                        StateHook hook = nullptr);

} // namespace ssmq

#endif // SSMQ_KERNELS_CONV_H
