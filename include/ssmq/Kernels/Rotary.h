//===- Rotary.h - Rotary position embedding ---------------------*- C++ -*-===//
//
// RoPE (arXiv 2104.09864) in the half-split layout of transformers: channel i of a head is rotated
// with channel i + rotaryDim/2 by the angle pos * theta^(-2i/rotaryDim), the angle in f32 as
// transformers computes it, so that long positions agree with the teacher.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_ROTARY_H
#define SSMQ_KERNELS_ROTARY_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

/// x [T, H*headDim]; token t stands at position + t. The first rotaryDim (even, <= headDim)
/// channels of each head are rotated, the rest pass through.
Tensor rotary(const Tensor &x, int64_t position, int64_t headDim, double theta, int64_t rotaryDim,
              const KernelOptions &options);

} // namespace ssmq

#endif // SSMQ_KERNELS_ROTARY_H
