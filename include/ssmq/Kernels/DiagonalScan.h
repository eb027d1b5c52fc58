//===- DiagonalScan.h - S4D's diagonal complex recurrence -------*- C++ -*-===//
//
// The recurrent form of S4D (arXiv 2206.11893, section 3) with a discrete system a head:
// s[h, n] = a[h, n] s[h, n] + b[h, n] x[h];  y[h] = 2 Re(sum_n c[h, n] s[h, n]) + d[h] x[h].
// Complex numbers are neighbours, real and imaginary part.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_DIAGONALSCAN_H
#define SSMQ_KERNELS_DIAGONALSCAN_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

struct DiagonalScanResult {
  Tensor y;     ///< [T, H]
  Tensor state; ///< [H, 2N]
};

/// x [T, H], a, b, c and state [H, 2N], d [H] or absent. A hook gets the whole state after each
/// token.
DiagonalScanResult diagonalScan(const Tensor &x, const Tensor &a, const Tensor &b, const Tensor &c,
                                const Tensor &d, const Tensor &state, const KernelOptions &options,
                                StateHook hook = nullptr);

} // namespace ssmq

#endif // SSMQ_KERNELS_DIAGONALSCAN_H
