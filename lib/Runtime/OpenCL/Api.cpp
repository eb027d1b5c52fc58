//===- Api.cpp - The OpenCL functions, found at run time ------------------===//

#include "Api.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/Process.h"
#include <memory>
#include <mutex>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static Error noDevice(const llvm::Twine &message) {
  return llvm::createStringError(std::make_error_code(std::errc::no_such_device),
                                 llvm::Twine(toOneLine(message.str())));
}

static Expected<std::unique_ptr<const OpenCLApi>> openApi(const std::string &name) {
  std::string reason;
  llvm::sys::DynamicLibrary library = llvm::sys::DynamicLibrary::getLibrary(name.c_str(), &reason);
  if (!library.isValid())
    return noDevice("there is no OpenCL loader: " + llvm::Twine(reason) +
                    "; install ocl-icd-libopencl1 or name a loader in SSMQ_OPENCL");
  auto api = std::make_unique<OpenCLApi>();
  const char *missing = nullptr;
#define SSMQ_FIND(NAME)                                                                            \
  api->NAME = reinterpret_cast<decltype(&::NAME)>(library.getAddressOfSymbol(#NAME));              \
  if (!api->NAME)                                                                                  \
    missing = #NAME;
  SSMQ_OPENCL_FUNCTIONS(SSMQ_FIND)
#undef SSMQ_FIND
  if (missing)
    return noDevice("the OpenCL loader " + name + " has no " + missing +
                    "; OpenCL 2.1 or later is needed");
  return api;
}

Expected<const OpenCLApi *> ssmq::getOpenCLApi() {
  static std::mutex mutex;
  static llvm::StringMap<std::unique_ptr<const OpenCLApi>> opened;
  std::string name = llvm::sys::Process::GetEnv("SSMQ_OPENCL").value_or("");
  if (name.empty())
    name = "libOpenCL.so.1";
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<const OpenCLApi> &api = opened[name];
  if (!api) {
    auto loaded = openApi(name);
    if (!loaded)
      return loaded.takeError();
    api = std::move(*loaded);
  }
  return api.get();
}

#define SSMQ_FIND(NAME)                                                                            \
  result.NAME =                                                                                    \
      reinterpret_cast<NAME##_fn>(api.clGetExtensionFunctionAddressForPlatform(platform, #NAME));  \
  if (!result.NAME)                                                                                \
    return noDevice("the OpenCL driver has no " #NAME);

Expected<OpenCLExtensionApi> ssmq::getOpenCLExtensionApi(const OpenCLApi &api,
                                                         cl_platform_id platform) {
  OpenCLExtensionApi result;
  SSMQ_OPENCL_EXTENSION_FUNCTIONS(SSMQ_FIND)
  return result;
}

Expected<CommandBufferApi> ssmq::getCommandBufferApi(const OpenCLApi &api,
                                                     cl_platform_id platform) {
  CommandBufferApi result;
  SSMQ_OPENCL_COMMAND_BUFFER_FUNCTIONS(SSMQ_FIND)
  return result;
}
#undef SSMQ_FIND

Expected<std::vector<OpenCLDeviceId>> ssmq::getOpenCLDevices(const OpenCLApi &api) {
  cl_uint count = 0;
  cl_int code = api.clGetPlatformIDs(0, nullptr, &count);
  if (code == CL_PLATFORM_NOT_FOUND_KHR || (code == CL_SUCCESS && count == 0))
    return noDevice("there is no OpenCL platform; install a driver (intel-opencl-icd for Intel's "
                    "GPUs), which OCL_ICD_VENDORS may name");
  if (code != CL_SUCCESS)
    return makeOpenCLError("listing the OpenCL platforms", code);
  std::vector<cl_platform_id> platforms(count);
  code = api.clGetPlatformIDs(count, platforms.data(), nullptr);
  if (code != CL_SUCCESS)
    return makeOpenCLError("listing the OpenCL platforms", code);

  std::vector<OpenCLDeviceId> result;
  for (cl_platform_id platform : platforms) {
    code = api.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count);
    if (code == CL_DEVICE_NOT_FOUND)
      continue;
    std::vector<cl_device_id> devices(count);
    if (code == CL_SUCCESS)
      code = api.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, devices.data(), nullptr);
    if (code != CL_SUCCESS)
      return makeOpenCLError("listing the devices of an OpenCL platform", code);
    for (cl_device_id device : devices)
      result.push_back({platform, device});
  }
  if (result.empty())
    return noDevice("no OpenCL platform has a device");
  return result;
}

static const char *getCodeName(cl_int code) {
  switch (code) {
#define SSMQ_NAME(NAME)                                                                            \
  case NAME: return #NAME;
    SSMQ_NAME(CL_DEVICE_NOT_AVAILABLE)
    SSMQ_NAME(CL_COMPILER_NOT_AVAILABLE)
    SSMQ_NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
    SSMQ_NAME(CL_OUT_OF_RESOURCES)
    SSMQ_NAME(CL_OUT_OF_HOST_MEMORY)
    SSMQ_NAME(CL_BUILD_PROGRAM_FAILURE)
    SSMQ_NAME(CL_COMPILE_PROGRAM_FAILURE)
    SSMQ_NAME(CL_LINK_PROGRAM_FAILURE)
    SSMQ_NAME(CL_INVALID_VALUE)
    SSMQ_NAME(CL_INVALID_BINARY)
    SSMQ_NAME(CL_INVALID_OPERATION)
    SSMQ_NAME(CL_INVALID_BUFFER_SIZE)
    SSMQ_NAME(CL_INVALID_PROGRAM_EXECUTABLE)
    SSMQ_NAME(CL_INVALID_KERNEL_NAME)
    SSMQ_NAME(CL_INVALID_KERNEL_ARGS)
    SSMQ_NAME(CL_INVALID_ARG_VALUE)
    SSMQ_NAME(CL_INVALID_ARG_SIZE)
    SSMQ_NAME(CL_INVALID_WORK_GROUP_SIZE)
    SSMQ_NAME(CL_INVALID_WORK_ITEM_SIZE)
    SSMQ_NAME(CL_INVALID_GLOBAL_WORK_SIZE)
#undef SSMQ_NAME
  default: return "an OpenCL error";
  }
}

bool ssmq::isOutOfMemory(cl_int code) {
  return code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES ||
         code == CL_OUT_OF_HOST_MEMORY || code == CL_INVALID_BUFFER_SIZE;
}

Error ssmq::makeOpenCLError(const llvm::Twine &what, cl_int code) {
  std::errc kind = isOutOfMemory(code) ? std::errc::not_enough_memory : std::errc::io_error;
  return llvm::createStringError(std::make_error_code(kind), what +
                                                                 " failed: " + getCodeName(code) +
                                                                 " (" + llvm::Twine(code) + ")");
}
