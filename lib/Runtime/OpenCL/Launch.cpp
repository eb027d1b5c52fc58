//===- Launch.cpp - What compiled host code calls on a GPU ----------------===//

#include "ssmq/Runtime/OpenCL/Launch.h"

#include "ssmq/Runtime/OpenCL/Device.h"
#include <algorithm>

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
