//===- Device.cpp - Memory and launches of an OpenCL device ---------------===//

#include "ssmq/Runtime/OpenCL/Device.h"

#include "ssmq/Support/Error.h"
#include <utility>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

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

Expected<std::shared_ptr<Device>> ssmq::openDevice(llvm::StringRef choice) {
  if (choice == "cpu")
    return nullptr;
  // Before a machine without OpenCL complains of that.
  if (Error error = parseDeviceChoice(choice).takeError())
    return error;
  return Device::open(choice);
}

Device *ssmq::getCurrentDevice() { return currentDevice; }

CurrentDevice::CurrentDevice(Device &device) : previous(std::exchange(currentDevice, &device)) {}
CurrentDevice::~CurrentDevice() { currentDevice = previous; }
