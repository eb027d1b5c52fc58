//===- OpenCLDevice.cpp - A device behind an OpenCL driver ----------------===//

#include "OpenCLDevice.h"

#include "Query.h"
#include "ssmq/Support/Error.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

Expected<std::unique_ptr<Device>> Device::open(llvm::StringRef choice) {
  Expected<const OpenCLApi *> api = getOpenCLApi();
  if (!api)
    return api.takeError();
  Expected<std::vector<OpenCLDeviceId>> ids = getOpenCLDevices(**api);
  if (!ids)
    return ids.takeError();
  std::vector<DeviceInfo> devices;
  for (const OpenCLDeviceId &id : *ids)
    devices.push_back(queryDevice(**api, id));
  Expected<size_t> index = chooseDevice(devices, choice);
  if (!index)
    return index.takeError();
  return OpenCLDevice::open(**api, (*ids)[*index], std::move(devices[*index]));
}

Expected<std::unique_ptr<Device>> OpenCLDevice::open(const OpenCLApi &api, const OpenCLDeviceId &id,
                                                     DeviceInfo info) {
  std::unique_ptr<OpenCLDevice> device(new OpenCLDevice(api, id, std::move(info)));
  Expected<OpenCLExtensionApi> extension = getOpenCLExtensionApi(api, id.platform);
  if (!extension)
    return extension.takeError();
  device->extension = *extension;
  if (device->info.usesCommandBuffers) {
    Expected<CommandBufferApi> commandBuffers = getCommandBufferApi(api, id.platform);
    if (!commandBuffers)
      return commandBuffers.takeError();
    device->commandBuffers = *commandBuffers;
  }

  cl_int code = CL_SUCCESS;
  cl_context context = api.clCreateContext(nullptr, 1, &id.device, nullptr, nullptr, &code);
  if (code != CL_SUCCESS)
    return makeOpenCLError("opening " + device->info.name, code);
  device->context = {context, api.clReleaseContext};
  cl_command_queue queue =
      api.clCreateCommandQueueWithProperties(context, id.device, nullptr, &code);
  if (code != CL_SUCCESS)
    return makeOpenCLError("making a queue of " + device->info.name, code);
  device->queue = {queue, api.clReleaseCommandQueue};
  return device;
}

OpenCLDevice::~OpenCLDevice() {
  // Kernels may still run, and an error of theirs has nobody left to tell.
  if (queue.get())
    api.clFinish(queue.get());
  for (auto [memory, size] : allocations)
    extension.clMemBlockingFreeINTEL(context.get(), memory);
}

Error OpenCLDevice::makeMemoryError(int64_t numBytes, const llvm::Twine &reason) const {
  return llvm::createStringError(
      std::make_error_code(std::errc::not_enough_memory),
      llvm::Twine(llvm::formatv("out of device memory: asked {0} bytes, {1} has {2} and {3} of "
                                "them are taken, the largest allocation is {4}",
                                numBytes, info.name, info.globalMemory, allocatedBytes,
                                info.largestAllocation)
                      .str()) +
          reason);
}

Error OpenCLDevice::checkFits(int64_t numBytes) const {
  if (numBytes < 0)
    return makeError("an allocation of {0} bytes is not possible", numBytes);
  if (numBytes > info.largestAllocation || numBytes > info.globalMemory - allocatedBytes)
    return makeMemoryError(numBytes, "");
  return Error::success();
}

Expected<void *> OpenCLDevice::allocateLocked(DeviceMemory kind, int64_t numBytes) {
  if (Error error = checkFits(numBytes))
    return error;
  // As the largest vectors and the blocks of 2-D I/O want it.
  constexpr cl_uint alignment = 64;
  size_t size = numBytes ? numBytes : 1;
  cl_int code = CL_SUCCESS;
  void *memory = nullptr;
  switch (kind) {
  case DeviceMemory::Device:
    memory =
        extension.clDeviceMemAllocINTEL(context.get(), id.device, nullptr, size, alignment, &code);
    break;
  case DeviceMemory::Host:
    memory = extension.clHostMemAllocINTEL(context.get(), nullptr, size, alignment, &code);
    break;
  case DeviceMemory::Shared:
    memory =
        extension.clSharedMemAllocINTEL(context.get(), id.device, nullptr, size, alignment, &code);
    break;
  }
  if (!memory && isOutOfMemory(code))
    return makeMemoryError(numBytes, "");
  if (!memory)
    return makeOpenCLError("allocating " + llvm::Twine(numBytes) + " bytes on " + info.name, code);
  allocations[memory] = numBytes;
  allocatedBytes += numBytes;
  return memory;
}

void OpenCLDevice::freeLocked(void *memory) {
  auto found = allocations.find(memory);
  if (found == allocations.end())
    return;
  if (Error error = flush())
    keepError(std::move(error));
  // Drivers may keep more of the memory than its address.
  runs.clear();
  extension.clMemBlockingFreeINTEL(context.get(), memory);
  allocatedBytes -= found->second;
  allocations.erase(found);
}

Expected<void *> OpenCLDevice::allocate(DeviceMemory kind, int64_t numBytes) {
  std::lock_guard<std::mutex> lock(mutex);
  return allocateLocked(kind, numBytes);
}

void OpenCLDevice::free(void *memory) {
  std::lock_guard<std::mutex> lock(mutex);
  freeLocked(memory);
}

int64_t OpenCLDevice::getAllocatedBytes() const {
  std::lock_guard<std::mutex> lock(mutex);
  return allocatedBytes;
}

int64_t OpenCLDevice::getNumLaunches() const {
  std::lock_guard<std::mutex> lock(mutex);
  return numLaunches;
}

Expected<void *> OpenCLDevice::getScratch(const void *key, int64_t numBytes) {
  std::lock_guard<std::mutex> lock(mutex);
  Scratch &kept = scratch[key];
  if (kept.memory && kept.numBytes >= numBytes)
    return kept.memory;
  // First, so that both need not fit at once.
  freeLocked(kept.memory);
  kept = {};
  Expected<void *> memory = allocateLocked(DeviceMemory::Device, numBytes);
  if (memory)
    kept = {*memory, numBytes};
  return memory;
}

Error OpenCLDevice::copy(void *to, const void *from, int64_t numBytes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (numBytes == 0)
    return Error::success();
  if (Error error = flush())
    return error;
  cl_int code =
      extension.clEnqueueMemcpyINTEL(queue.get(), CL_TRUE, to, from, numBytes, 0, nullptr, nullptr);
  noteDone();
  if (code == CL_SUCCESS)
    return Error::success();
  return makeOpenCLError("copying " + llvm::Twine(numBytes) + " bytes with " + info.name, code);
}

Error OpenCLDevice::enqueueCopy(void *to, const void *from, int64_t numBytes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (numBytes == 0)
    return Error::success();
  if (Error error = flush())
    return error;
  cl_int code = extension.clEnqueueMemcpyINTEL(queue.get(), CL_FALSE, to, from, numBytes, 0,
                                               nullptr, nullptr);
  if (code == CL_SUCCESS)
    return Error::success();
  return makeOpenCLError("copying " + llvm::Twine(numBytes) + " bytes on " + info.name, code);
}

Error OpenCLDevice::enqueueFill(void *memory, llvm::StringRef pattern, int64_t numBytes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (numBytes == 0)
    return Error::success();
  if (Error error = flush())
    return error;
  cl_int code = extension.clEnqueueMemFillINTEL(queue.get(), memory, pattern.data(), pattern.size(),
                                                numBytes, 0, nullptr, nullptr);
  if (code == CL_SUCCESS)
    return Error::success();
  return makeOpenCLError("filling " + llvm::Twine(numBytes) + " bytes on " + info.name, code);
}

Error OpenCLDevice::finish() {
  std::lock_guard<std::mutex> lock(mutex);
  if (Error error = flush())
    return error;
  cl_int code = api.clFinish(queue.get());
  noteDone();
  return code == CL_SUCCESS ? Error::success()
                            : makeOpenCLError("running kernels on " + info.name, code);
}
