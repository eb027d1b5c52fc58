//===- Gemm.h - Single precision matrix product -----------------*- C++ -*-===//
//
// C = A op(B), all row-major with leading dimensions, so that heads of an activation and rows of a
// cache are multiplied in place. The builtin kernel packs panels and runs a register tile for
// AVX2+FMA or AVX-512, whichever the machine has; a result element is summed in one fixed order.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_GEMM_H
#define SSMQ_KERNELS_GEMM_H

#include "ssmq/Kernels/KernelOptions.h"

namespace ssmq {

enum class GemmLibrary : uint8_t { Builtin, OneDNN };

struct GemmShape {
  int64_t m, n, k;
};

/// A row-major matrix with `stride` elements from row to row.
struct ConstMatrix {
  const float *data;
  int64_t stride;
};
struct MutableMatrix {
  float *data;
  int64_t stride;
};

/// Whether this build contains a library.
bool isAvailable(GemmLibrary library);

/// c [m, n] = a [m, k] * bᵀ with b [n, k], the layout of torch.nn.Linear. k = 0 gives zeros.
void gemmTransposed(ConstMatrix a, ConstMatrix b, MutableMatrix c, GemmShape shape,
                    unsigned threads = 1, GemmLibrary library = GemmLibrary::Builtin);

/// c [m, n] = a [m, k] * b [k, n].
void gemm(ConstMatrix a, ConstMatrix b, MutableMatrix c, GemmShape shape, unsigned threads = 1,
          GemmLibrary library = GemmLibrary::Builtin);

} // namespace ssmq

#endif // SSMQ_KERNELS_GEMM_H
