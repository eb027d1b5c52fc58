//===- Device.h - Memory and launches of an OpenCL device -------*- C++ -*-===//
//
// One context and one in-order queue: launches and copies run in the order in which they are
// asked for, beside the host. Pointers are unified shared memory of the device. Programs are built
// from SPIR-V at their first launch and known by the address of their bytes, kernels by the address
// of their names, so that both must outlive the Device: one Device serves one loaded program. It
// may be used from any thread, one call at a time (calls wait for one another).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_OPENCL_DEVICE_H
#define SSMQ_RUNTIME_OPENCL_DEVICE_H

#include "ssmq/Runtime/OpenCL/DeviceInfo.h"
#include "llvm/ADT/ArrayRef.h"
#include <memory>
#include <mutex>

namespace ssmq {

enum class DeviceMemory {
  /// Of the device alone; the host copies to and from it.
  Device,
  /// Of the host, which the device reads over the bus.
  Host,
  /// Which moves to where it is used.
  Shared
};

struct KernelLaunch {
  /// Bytes of the SPIR-V module, name of the kernel (ends with 0).
  llvm::StringRef spirv;
  const char *kernel = nullptr;
  /// Work-groups in x, y, z and work-items of one.
  int64_t groups[3] = {1, 1, 1}, items[3] = {1, 1, 1};
  /// A pointer's address, or the bits of a number in the low bytes.
  llvm::ArrayRef<int64_t> arguments;
  /// Bit i: argument i is a pointer.
  uint64_t pointerMask = 0;
};

class Device {
public:
  /// Opens the device that `choice` names (chooseDevice).
  static llvm::Expected<std::unique_ptr<Device>> open(llvm::StringRef choice = "xe");
  virtual ~Device();

  const DeviceInfo &getInfo() const { return info; }
  /// As "AMD EPYC (cpu; dpas emulated, 2-D block I/O emulated)".
  std::string describe() const;

  /// Fails with std::errc::not_enough_memory. 0 bytes are one.
  virtual llvm::Expected<void *> allocate(DeviceMemory kind, int64_t numBytes) = 0;
  /// Waits until nothing uses it. Null is allowed.
  virtual void free(void *memory) = 0;
  /// Of all that is allocated now.
  virtual int64_t getAllocatedBytes() const = 0;

  /// Between any memory of device and host; returns when it is done.
  virtual llvm::Error copy(void *to, const void *from, int64_t numBytes) = 0;
  /// Returns at once; memory of the host stays as it is until finish.
  virtual llvm::Error enqueueCopy(void *to, const void *from, int64_t numBytes) = 0;
  /// Repeats 1, 2, 4, ... or 128 bytes, which are read at once; returns at once.
  virtual llvm::Error enqueueFill(void *memory, llvm::StringRef pattern, int64_t numBytes) = 0;
  /// Returns when everything is done.
  virtual llvm::Error finish() = 0;

  /// Builds the program of a SPIR-V module, which its first launch does otherwise.
  virtual llvm::Error build(llvm::StringRef spirv) = 0;
  /// Returns at once, unless the program must be built. No groups: no launch. Where the device has
  /// command buffers, launches wait for the next command of another kind; a run of launches that
  /// comes again with the same arguments is recorded, and then enqueued as one command.
  virtual llvm::Error launch(const KernelLaunch &launch) = 0;
  /// That were handed to the driver.
  virtual int64_t getNumLaunches() const = 0;

  /// Memory of the device that is kept for `key`; asked for more than it has, it is allocated anew
  /// with other contents, and pointers to the old are dead.
  virtual llvm::Expected<void *> getScratch(const void *key, int64_t numBytes) = 0;

  /// Errors of compiled code, which cannot take them: the first is kept.
  void keepError(llvm::Error error);
  bool hasError() const;
  /// Waits for the queue; the kept error, or that of the queue, which is then forgotten.
  llvm::Error takeError();

protected:
  explicit Device(DeviceInfo info) : info(std::move(info)) {}

  DeviceInfo info;

private:
  mutable std::mutex errorMutex;
  std::string error;
  std::error_code errorCode;
};

/// Opens the device of an option: null for "cpu", whose code needs none. A choice that is none
/// fails with std::errc::invalid_argument, others as Device::open.
llvm::Expected<std::shared_ptr<Device>> openDevice(llvm::StringRef choice);

/// The device that compiled code of this thread launches on; null where there is none.
Device *getCurrentDevice();

/// Makes a device the current one of this thread while it lives.
class CurrentDevice {
public:
  explicit CurrentDevice(Device &device);
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice &) = delete;
  CurrentDevice &operator=(const CurrentDevice &) = delete;

private:
  Device *previous;
};

} // namespace ssmq

#endif // SSMQ_RUNTIME_OPENCL_DEVICE_H
