//===- SelectiveScan.h - Mamba-1 selective scan -----------------*- C++ -*-===//
//
// The recurrence of Mamba (arXiv 2312.00752, equation 2 and algorithm 2), with zero-order hold for
// A and Euler's rule for B as the released models use it: h[d, n] = exp(dt[d] * A[d, n]) * h[d, n]
// + dt[d] * B[n] * x[d];  y[d] = C . h[d] + Dskip[d] * x[d].
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_SELECTIVESCAN_H
#define SSMQ_KERNELS_SELECTIVESCAN_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

struct SelectiveScanResult {
  Tensor y;     ///< [T, D]
  Tensor state; ///< [D, N]
};

/// x [T, D], dt [T, D] (after softplus), a [D, N] (negative), b [T, N], c [T, N], dSkip [D] or
/// absent, state [D, N]. A hook gets the whole state after each token.
SelectiveScanResult selectiveScan(const Tensor &x, const Tensor &dt, const Tensor &a,
                                  const Tensor &b, const Tensor &c, const Tensor &dSkip,
                                  const Tensor &state, const KernelOptions &options,
                                  StateHook hook = nullptr);

} // namespace ssmq

#endif // SSMQ_KERNELS_SELECTIVESCAN_H
