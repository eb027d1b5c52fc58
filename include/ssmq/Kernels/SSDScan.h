//===- SSDScan.h - Mamba-2 state space duality scan -------------*- C++ -*-===//
//
// The recurrence of Mamba-2 (arXiv 2405.21060, section 6): one decay per head, B and C shared by
// the heads of a group, group(h) = h / (H / G): S[p, n] = exp(dt * A) * S[p, n] + dt * x[p] * B[n];
// y[p] = S[p] . C + Dskip * x[p].
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_SSDSCAN_H
#define SSMQ_KERNELS_SSDSCAN_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

struct SSDScanResult {
  Tensor y;     ///< [T, H*P]
  Tensor state; ///< [H, P, N]
};

/// x [T, H*P], dt [T, H] (after softplus), a [H] (negative), b [T, G*N], c [T, G*N], dSkip [H] or
/// absent, state [H, P, N]; `groups` is G and divides H. A hook gets the whole state after
/// each token.
SSDScanResult ssdScan(const Tensor &x, const Tensor &dt, const Tensor &a, const Tensor &b,
                      const Tensor &c, const Tensor &dSkip, const Tensor &state, int64_t groups,
                      const KernelOptions &options, StateHook hook = nullptr);

} // namespace ssmq

#endif // SSMQ_KERNELS_SSDSCAN_H
