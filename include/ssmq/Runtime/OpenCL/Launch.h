//===- Launch.h - What compiled host code calls on a GPU --------*- C++ -*-===//
//
// Both act on the current device of the calling thread (CurrentDevice). The first error is kept in
// it (Device::takeError); until that is taken, later calls do nothing. Without a current device
// they do nothing either.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_OPENCL_LAUNCH_H
#define SSMQ_RUNTIME_OPENCL_LAUNCH_H

#include <cstdint>

namespace ssmq {
/// The constant of compiled host code that holds the SPIR-V of its launches.
inline constexpr char kSpirvSymbol[] = "ssmq_spirv";
} // namespace ssmq

// NOLINTBEGIN(readability-identifier-naming): C names, as the others of the runtime
extern "C" {

/// Launches `kernel` of the module in `spirv`. `sizes`: groups in x, y, z, then work-items of a
/// group in x, y, z. Bit i of `pointerMask`: argument i is a pointer to unified shared memory; else
/// it is a number in the low bytes. At most 63 arguments.
void ssmq_xe_launch(const void *spirv, int64_t spirvBytes, const char *kernel, const int64_t *sizes,
                    const int64_t *arguments, int64_t numArguments, int64_t pointerMask);

/// Copies between memory of the device, behind what was launched before.
void ssmq_xe_copy(void *to, const void *from, int64_t bytes);

/// Writes the low `bytes` (1, 2, 4 or 8) of a number of the host, behind what was launched before.
void ssmq_xe_store(void *to, int64_t bits, int64_t bytes);

/// Memory of the device that is kept for `key` (Device::getScratch); null after an error.
void *ssmq_xe_scratch(const void *key, int64_t bytes);

/// Memory of the device for the buffers of an entry, of at most 16 at a time on a thread; kept when
/// it is given back, for the next that asks. Null after an error.
void *ssmq_xe_allocate(int64_t bytes);
void ssmq_xe_free(void *memory);
}
// NOLINTEND(readability-identifier-naming)

#endif // SSMQ_RUNTIME_OPENCL_LAUNCH_H
