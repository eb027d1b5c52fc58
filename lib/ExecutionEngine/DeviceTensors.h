//===- DeviceTensors.h - Tensors in memory of a device ----------*- C++ -*-===//
//
// Weights lie in memory of the device alone, states in memory that host and device share, so that a
// copy of a state is a snapshot like any other tensor.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_DEVICETENSORS_H
#define SSMQ_LIB_EXECUTIONENGINE_DEVICETENSORS_H

#include "ssmq/Runtime/OpenCL/Device.h"
#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/DenseMap.h"

namespace ssmq {

class DeviceTensors {
public:
  explicit DeviceTensors(std::shared_ptr<Device> device) : device(std::move(device)) {}

  Device &getDevice() const { return *device; }
  /// Held during a call, since calls share scratch memory.
  std::mutex &getMutex() { return mutex; }

  /// A copy of a tensor in memory of the device alone; its bytes are not for the host.
  llvm::Expected<Tensor> upload(const Tensor &tensor);
  /// Where a device may write the values of `tensor`, which becomes a tensor in shared memory with
  /// the same values if it is none or shares its bytes.
  llvm::Expected<void *> getWritable(Tensor &tensor);
  /// Memory of the device for the next call: slot 0, 1, ... each have one block.
  llvm::Expected<void *> getScratch(unsigned slot, int64_t numBytes);

private:
  llvm::Expected<std::shared_ptr<void>> allocate(DeviceMemory kind, int64_t numBytes);

  std::shared_ptr<Device> device;
  std::mutex mutex;
  /// Blocks of shared memory by their addresses, with the tensors that use them counted.
  llvm::DenseMap<const void *, std::weak_ptr<const void>> shared;
  char slots[4] = {};
};

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_DEVICETENSORS_H
