//===- Device.cpp - Memory and launches of an OpenCL device ---------------===//

#include "ssmq/Runtime/OpenCL/Device.h"

#include "ssmq/Support/Error.h"
#include <utility>

using namespace ssmq;
using llvm::Error;

static thread_local Device *currentDevice = nullptr;

Device::~Device() = default;

std::string Device::describe() const {
  auto answer = [](bool has) { return has ? "native" : "emulated"; };
  return llvm::formatv("{0} ({1}; dpas {2}, 2-D block I/O {3})", info.name,
                       info.kind == DeviceKind::GPU ? "gpu" : "cpu", answer(info.hasMatrixMultiply),
                       answer(info.hasBlockIO));
}

void Device::keepError(Error one) {
  std::lock_guard<std::mutex> lock(errorMutex);
  if (!error.empty()) {
    llvm::consumeError(std::move(one));
    return;
  }
  llvm::handleAllErrors(std::move(one), [&](const llvm::ErrorInfoBase &info) {
    error = info.message();
    errorCode = info.convertToErrorCode();
  });
}

bool Device::hasError() const {
  std::lock_guard<std::mutex> lock(errorMutex);
  return !error.empty();
}

Error Device::takeError() {
  Error finished = finish();
  std::lock_guard<std::mutex> lock(errorMutex);
  if (error.empty())
    return finished;
  // What follows the first error follows from it.
  llvm::consumeError(std::move(finished));
  return llvm::createStringError(errorCode, std::exchange(error, {}));
}

Device *ssmq::getCurrentDevice() { return currentDevice; }

CurrentDevice::CurrentDevice(Device &device) : previous(std::exchange(currentDevice, &device)) {}
CurrentDevice::~CurrentDevice() { currentDevice = previous; }
