//===- Devices.cpp - Devices of the C interface ---------------------------===//

#include "Status.h"
#include "ssmq/Runtime/OpenCL/DeviceInfo.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

SsmqStatus ssmqListDevices(SsmqBytesCallback callback, void *userData) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({reinterpret_cast<const void *>(callback)}))
      return error;
    Expected<std::vector<DeviceInfo>> devices = listDevices();
    if (!devices)
      return devices.takeError();
    std::string text = toJson(*devices);
    callback(text.data(), text.size(), userData);
    return Error::success();
  });
}
