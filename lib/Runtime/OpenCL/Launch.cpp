//===- Launch.cpp - What compiled host code calls on a GPU ----------------===//

#include "ssmq/Runtime/OpenCL/Launch.h"

#include "ssmq/Runtime/OpenCL/Device.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <array>

using namespace ssmq;

void ssmq_xe_launch(const void *spirv, int64_t spirvBytes, const char *kernel, const int64_t *sizes,
                    const int64_t *arguments, int64_t numArguments, int64_t pointerMask) {
  Device *device = getCurrentDevice();
  if (!device || device->hasError())
    return;
  KernelLaunch launch;
  launch.spirv = {static_cast<const char *>(spirv), static_cast<size_t>(spirvBytes)};
  launch.kernel = kernel;
  std::copy_n(sizes, 3, launch.groups);
  std::copy_n(sizes + 3, 3, launch.items);
  launch.arguments = {arguments, static_cast<size_t>(numArguments)};
  launch.pointerMask = static_cast<uint64_t>(pointerMask);
  if (llvm::Error error = device->launch(launch))
    device->keepError(std::move(error));
}

void ssmq_xe_copy(void *to, const void *from, int64_t bytes) {
  Device *device = getCurrentDevice();
  if (!device || device->hasError())
    return;
  if (llvm::Error error = device->enqueueCopy(to, from, bytes))
    device->keepError(std::move(error));
}

void ssmq_xe_store(void *to, int64_t bits, int64_t bytes) {
  Device *device = getCurrentDevice();
  if (!device || device->hasError())
    return;
  llvm::StringRef pattern(reinterpret_cast<const char *>(&bits), bytes);
  if (llvm::Error error = device->enqueueFill(to, pattern, bytes))
    device->keepError(std::move(error));
}

void *ssmq_xe_scratch(const void *key, int64_t bytes) {
  Device *device = getCurrentDevice();
  if (!device || device->hasError())
    return nullptr;
  llvm::Expected<void *> memory = device->getScratch(key, bytes);
  if (memory)
    return *memory;
  device->keepError(memory.takeError());
  return nullptr;
}

/// What the entry that this thread runs has allocated, by slot.
static thread_local std::array<void *, 16> buffersInUse;

void *ssmq_xe_allocate(int64_t bytes) {
  // Only the addresses count: each slot is a block of the device.
  static constexpr std::array<char, 16> keys = {};
  for (auto [i, buffer] : llvm::enumerate(buffersInUse))
    if (!buffer)
      return buffer = ssmq_xe_scratch(&keys[i], bytes);
  if (Device *device = getCurrentDevice())
    device->keepError(llvm::createStringError("an entry asks for more than %zu buffers at a time",
                                              buffersInUse.size()));
  return nullptr;
}

void ssmq_xe_free(void *memory) {
  for (void *&buffer : buffersInUse)
    if (buffer == memory)
      buffer = nullptr;
}
