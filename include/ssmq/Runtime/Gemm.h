//===- Gemm.h - Matrix product that compiled code calls ---------*- C++ -*-===//
//
// C interface of plain 64-bit integers (addresses included), so that generated code needs no
// descriptors.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_GEMM_H
#define SSMQ_RUNTIME_GEMM_H

#include <cstdint>

/// How the weight of ssmq_gemm lies in memory.
enum SSMQGemmType : int64_t { SSMQ_GEMM_F32 = 0, SSMQ_GEMM_F16 = 1, SSMQ_GEMM_BF16 = 2 };

/// y [m, n] = x [m, k] * wᵀ with w [n, k] contiguous, as torch.nn.Linear without a bias; strides of
/// x and y are in elements. oneDNN computes it where this build has it.
// NOLINTNEXTLINE(readability-identifier-naming): a C name, as the others of the runtime
extern "C" void ssmq_gemm(int64_t x, int64_t xStride, int64_t w, int64_t weightType, int64_t y,
                          int64_t yStride, int64_t m, int64_t n, int64_t k);

#endif // SSMQ_RUNTIME_GEMM_H
