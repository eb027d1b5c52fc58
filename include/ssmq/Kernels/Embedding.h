//===- Embedding.h - Token embedding ----------------------------*- C++ -*-===//
//
// Row lookup; exact in both kernel sets.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_EMBEDDING_H
#define SSMQ_KERNELS_EMBEDDING_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/Support/Error.h"

namespace ssmq {

/// ids i32 [T], table [V, D] -> [T, D]. Fails on an id outside [0, V).
llvm::Expected<Tensor> embedding(const Tensor &ids, const Tensor &table);

} // namespace ssmq

#endif // SSMQ_KERNELS_EMBEDDING_H
