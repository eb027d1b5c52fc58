//===- DeviceTensors.cpp - Tensors in memory of a device ------------------===//

#include "DeviceTensors.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

Expected<std::shared_ptr<void>> DeviceTensors::allocate(DeviceMemory kind, int64_t numBytes) {
  Expected<void *> memory = device->allocate(kind, numBytes);
  if (!memory)
    return memory.takeError();
  // Tensors may outlive the program that made them, but not their device.
  return std::shared_ptr<void>(*memory, [device = device](void *block) { device->free(block); });
}

Expected<Tensor> DeviceTensors::upload(const Tensor &tensor) {
  Expected<std::shared_ptr<void>> block = allocate(DeviceMemory::Device, tensor.getNumBytes());
  if (!block)
    return block.takeError();
  if (Error error = device->copy(block->get(), tensor.getRawData(), tensor.getNumBytes()))
    return error;
  return Tensor::borrow(tensor.getDType(), tensor.getShape(), block->get(), *block);
}

Expected<void *> DeviceTensors::getWritable(Tensor &tensor) {
  auto known = shared.find(tensor.getRawData());
  if (known != shared.end() && known->second.use_count() == 1)
    return const_cast<void *>(tensor.getRawData());
  Expected<std::shared_ptr<void>> block = allocate(DeviceMemory::Shared, tensor.getNumBytes());
  if (!block)
    return block.takeError();
  if (Error error = device->copy(block->get(), tensor.getRawData(), tensor.getNumBytes()))
    return error;
  for (auto it = shared.begin(); it != shared.end(); ++it)
    if (it->second.expired())
      shared.erase(it);
  shared[block->get()] = *block;
  tensor = Tensor::borrow(tensor.getDType(), tensor.getShape(), block->get(), *block);
  return block->get();
}

Expected<void *> DeviceTensors::getScratch(unsigned slot, int64_t numBytes) {
  return device->getScratch(&slots[slot], numBytes);
}
