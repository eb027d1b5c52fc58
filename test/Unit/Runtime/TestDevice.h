//===- TestDevice.h - The OpenCL device of the tests ------------*- C++ -*-===//

#ifndef SSMQ_TEST_UNIT_RUNTIME_TESTDEVICE_H
#define SSMQ_TEST_UNIT_RUNTIME_TESTDEVICE_H

#include "ssmq/Runtime/OpenCL/Device.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"
#include <cstdlib>

namespace ssmq {

/// The SPIR-V of a file of kernels in this folder.
inline std::string readKernels(const char *name) {
  auto file = llvm::MemoryBuffer::getFile(std::string(SSMQ_TEST_KERNELS "/") + name + ".spv");
  return file ? (*file)->getBuffer().str() : "";
}

/// The OpenCL CPU device that CMake found, and no other driver of the machine; a test without it
/// is skipped and says why.
class DeviceTest : public ::testing::Test {
protected:
  /// `kernels` outlives the device.
  explicit DeviceTest(llvm::StringRef kernels) : kernels(kernels) {}

  void SetUp() override {
    setenv("OCL_ICD_VENDORS", SSMQ_TEST_OPENCL, 1);
    llvm::Expected<std::unique_ptr<Device>> opened = Device::open();
    if (!opened)
      GTEST_SKIP() << llvm::toString(opened.takeError());
    device = std::move(*opened);
  }

  /// Memory of host and device with these values; freed with the device.
  template <typename T>
  T *share(llvm::ArrayRef<T> values) {
    llvm::Expected<void *> memory =
        device->allocate(DeviceMemory::Shared, values.size() * sizeof(T));
    if (!memory) {
      ADD_FAILURE() << llvm::toString(memory.takeError());
      return nullptr;
    }
    std::copy(values.begin(), values.end(), static_cast<T *>(*memory));
    return static_cast<T *>(*memory);
  }

  /// Runs a kernel to its end; the message of its error, or nothing.
  std::string run(const char *kernel, llvm::ArrayRef<int64_t> arguments, uint64_t pointerMask,
                  int64_t groups = 1, int64_t items = 16) {
    KernelLaunch launch;
    launch.spirv = kernels;
    launch.kernel = kernel;
    launch.groups[0] = groups;
    launch.items[0] = items;
    launch.arguments = arguments;
    launch.pointerMask = pointerMask;
    llvm::Error error = device->launch(launch);
    if (!error)
      error = device->finish();
    return llvm::toString(std::move(error));
  }

  static int64_t toArgument(const void *pointer) { return reinterpret_cast<intptr_t>(pointer); }

  llvm::StringRef kernels;
  std::shared_ptr<Device> device;
};

} // namespace ssmq

#endif // SSMQ_TEST_UNIT_RUNTIME_TESTDEVICE_H
