//===- Attention.h - Causal attention over a key/value cache ----*- C++ -*-===//
//
// Grouped-query attention (arXiv 2305.13245): query head h reads key/value head h / (Hq / Hk).
// Token t stands at cache row position + t and attends to the rows up to its own, or to the last
// `window` of them.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_ATTENTION_H
#define SSMQ_KERNELS_ATTENTION_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/Support/Error.h"

namespace ssmq {

struct AttentionResult {
  Tensor out;        ///< [T, Hq*D]
  Tensor keyCache;   ///< [C, Hk*D] with the T new rows written at `position`
  Tensor valueCache; ///< [C, Hk*D]
};

struct AttentionParams {
  int64_t position = 0;
  int64_t headDim = 0;
  float scale = 1.0f; ///< multiplies q . k
  int64_t window = 0; ///< rows attended to, a token's own included; 0 is unlimited
};

/// q [T, Hq*D], k and v [T, Hk*D], caches [C, Hk*D]. Fails when position is negative or
/// position + T exceeds C.
llvm::Expected<AttentionResult> attention(const Tensor &q, const Tensor &k, const Tensor &v,
                                          const Tensor &keyCache, const Tensor &valueCache,
                                          const AttentionParams &params,
                                          const KernelOptions &options);

} // namespace ssmq

#endif // SSMQ_KERNELS_ATTENTION_H
