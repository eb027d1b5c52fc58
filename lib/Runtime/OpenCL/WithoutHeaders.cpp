//===- WithoutHeaders.cpp - The room in a build without OpenCL ------------===//

#include "ssmq/Runtime/OpenCL/Device.h"

#include "llvm/Support/Error.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static Error fail() {
  return llvm::createStringError(std::make_error_code(std::errc::no_such_device),
                                 "this ssmq was built without OpenCL headers; install "
                                 "opencl-c-headers and build it anew");
}

Expected<std::vector<DeviceInfo>> ssmq::listDevices() { return fail(); }

Expected<std::unique_ptr<Device>> Device::open(llvm::StringRef) { return fail(); }
