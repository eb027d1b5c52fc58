//===- KernelOptions.h - Which kernels to run -------------------*- C++ -*-===//
//
// Every op has two implementations with one contract. `Reference` is plain loops with double
// accumulation, the oracle; `Fast` is vectorised float on GEMM, held to the oracle by
// test/Unit/Kernels. Both are deterministic and give the same bits for any thread count.
//
// Common to all kernels: f32 tensors, row-major, tokens leading; an absent optional operand is a
// default-constructed Tensor; states are inputs that are never modified and the new state is
// returned. Shapes are the caller's promise (the IR verifier's); only data-dependent faults return
// an error.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_KERNELOPTIONS_H
#define SSMQ_KERNELS_KERNELOPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>

namespace ssmq {

enum class KernelSet : uint8_t { Reference, Fast };

struct KernelOptions {
  KernelSet set = KernelSet::Fast;
  unsigned threads = 1;
};

/// Called by a kernel that carries a state from token to token where it stores the state: after a
/// token is computed from the state that it made, before the next token reads it. It may change the
/// numbers (round them to a format) or only watch them.
using StateHook = llvm::function_ref<void(llvm::MutableArrayRef<float> state)>;

} // namespace ssmq

#endif // SSMQ_KERNELS_KERNELOPTIONS_H
