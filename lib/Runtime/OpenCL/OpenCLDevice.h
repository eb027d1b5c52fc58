//===- OpenCLDevice.h - A device behind an OpenCL driver --------*- C++ -*-===//

#ifndef SSMQ_LIB_RUNTIME_OPENCL_OPENCLDEVICE_H
#define SSMQ_LIB_RUNTIME_OPENCL_OPENCLDEVICE_H

#include "Api.h"
#include "ssmq/Runtime/OpenCL/Device.h"
#include "ssmq/Runtime/OpenCL/SpirvModule.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <array>
#include <utility>

namespace ssmq {

/// An object of OpenCL that is released at the end.
template <typename T>
class OpenCLObject {
public:
  using Release = cl_int(CL_API_CALL *)(T);

  OpenCLObject() = default;
  OpenCLObject(T object, Release release) : object(object), release(release) {}
  OpenCLObject(OpenCLObject &&other) noexcept
      : object(std::exchange(other.object, nullptr)), release(other.release) {}
  OpenCLObject &operator=(OpenCLObject &&other) noexcept {
    std::swap(object, other.object);
    std::swap(release, other.release);
    return *this;
  }
  ~OpenCLObject() {
    if (object)
      release(object);
  }
  T get() const { return object; }

private:
  T object = nullptr;
  Release release = nullptr;
};

class OpenCLDevice : public Device {
public:
  static llvm::Expected<std::unique_ptr<Device>> open(const OpenCLApi &api,
                                                      const OpenCLDeviceId &id, DeviceInfo info);
  ~OpenCLDevice() override;

  llvm::Expected<void *> allocate(DeviceMemory kind, int64_t numBytes) override;
  void free(void *memory) override;
  int64_t getAllocatedBytes() const override;
  llvm::Error copy(void *to, const void *from, int64_t numBytes) override;
  llvm::Error enqueueCopy(void *to, const void *from, int64_t numBytes) override;
  llvm::Error enqueueFill(void *memory, llvm::StringRef pattern, int64_t numBytes) override;
  llvm::Error finish() override;
  llvm::Error build(llvm::StringRef spirv) override;
  llvm::Error launch(const KernelLaunch &launch) override;
  int64_t getNumLaunches() const override;
  llvm::Expected<void *> getScratch(const void *key, int64_t numBytes) override;

private:
  struct Kernel {
    std::string name;
    OpenCLObject<cl_kernel> kernel;
    std::vector<SpirvParameter> parameters;
  };
  struct Program {
    OpenCLObject<cl_program> program;
    llvm::StringMap<std::unique_ptr<Kernel>> kernels;
  };
  /// A launch whose program is built and whose arguments fit.
  struct CheckedLaunch {
    const Kernel *kernel;
    std::array<size_t, 3> global, local;
    std::vector<int64_t> arguments;

    bool operator==(const CheckedLaunch &other) const {
      return kernel == other.kernel && global == other.global && local == other.local &&
             arguments == other.arguments;
    }
  };
  /// Launches that came one after another, and the command buffer of them.
  struct Run {
    std::vector<CheckedLaunch> launches;
    OpenCLObject<cl_command_buffer_khr> buffer;
    /// Enqueued and perhaps not done, when it cannot be enqueued again.
    bool isPending = false;
  };
  struct Scratch {
    void *memory = nullptr;
    int64_t numBytes = 0;
  };

  OpenCLDevice(const OpenCLApi &api, const OpenCLDeviceId &id, DeviceInfo info)
      : Device(std::move(info)), api(api), id(id) {}

  llvm::Expected<void *> allocateLocked(DeviceMemory kind, int64_t numBytes);
  void freeLocked(void *memory);
  llvm::Error checkFits(int64_t numBytes) const;
  llvm::Error makeMemoryError(int64_t numBytes, const llvm::Twine &reason) const;

  llvm::Expected<Program *> getProgram(llvm::StringRef spirv);
  llvm::Expected<OpenCLObject<cl_program>> buildProgram(llvm::StringRef spirv,
                                                        const SpirvModule &module) const;
  llvm::Error makeKernels(Program &program, const SpirvModule &module) const;
  llvm::Error checkArguments(const Kernel &kernel, const KernelLaunch &launch) const;
  llvm::Error setArguments(const CheckedLaunch &launch) const;
  llvm::Error makeLaunchError(const CheckedLaunch &launch, cl_int code) const;
  llvm::Error enqueue(llvm::ArrayRef<CheckedLaunch> launches) const;
  llvm::Error enqueueRun(std::vector<CheckedLaunch> launches);
  /// Enqueues the launches that wait; all other commands come after it.
  llvm::Error flush();
  llvm::Error record(Run &run) const;
  llvm::Error replay(Run &run) const;
  void noteDone();
  /// Functions that the module imports and the device lacks.
  std::vector<std::string> findEmulated(const SpirvModule &module) const;
  llvm::Expected<OpenCLObject<cl_program>> createProgram(llvm::StringRef spirv) const;
  llvm::Expected<OpenCLObject<cl_program>> compileSource(const std::string &source) const;
  llvm::Error makeBuildError(cl_program program, const llvm::Twine &what, cl_int code) const;

  const OpenCLApi &api;
  OpenCLDeviceId id;
  OpenCLExtensionApi extension;
  CommandBufferApi commandBuffers;
  OpenCLObject<cl_context> context;
  OpenCLObject<cl_command_queue> queue;

  mutable std::mutex mutex;
  llvm::DenseMap<void *, int64_t> allocations;
  int64_t allocatedBytes = 0, numLaunches = 0;
  llvm::DenseMap<const void *, Scratch> scratch;
  llvm::DenseMap<const void *, Program> programs;
  /// Launches that wait until another command comes, where the device has command buffers.
  std::vector<CheckedLaunch> waiting;
  /// The last runs, the latest at the end.
  std::vector<Run> runs;
};

} // namespace ssmq

#endif // SSMQ_LIB_RUNTIME_OPENCL_OPENCLDEVICE_H
