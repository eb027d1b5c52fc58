//===- KernelOptions.h - Which kernels compute ------------------*- C++ -*-===//

#ifndef SSMQ_KERNELS_KERNELOPTIONS_H
#define SSMQ_KERNELS_KERNELOPTIONS_H

#include <cstdint>

namespace ssmq {

/// `Reference`: plain loops with double accumulation, the oracle. `Fast`: GEMM and vectors.
enum class KernelSet : uint8_t { Reference, Fast };

struct KernelOptions {
  KernelSet set = KernelSet::Fast;
  unsigned threads = 1;
};

} // namespace ssmq

#endif // SSMQ_KERNELS_KERNELOPTIONS_H
