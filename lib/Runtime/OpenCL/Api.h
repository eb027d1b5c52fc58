//===- Api.h - The OpenCL functions, found at run time ----------*- C++ -*-===//

#ifndef SSMQ_LIB_RUNTIME_OPENCL_API_H
#define SSMQ_LIB_RUNTIME_OPENCL_API_H

#include "Functions.h"
#include "llvm/Support/Error.h"

namespace ssmq {

/// Opens the loader that $SSMQ_OPENCL names, else libOpenCL.so.1; once a name.
llvm::Expected<const OpenCLApi *> getOpenCLApi();

llvm::Expected<OpenCLExtensionApi> getOpenCLExtensionApi(const OpenCLApi &api,
                                                         cl_platform_id platform);

/// Of a platform whose devices have cl_khr_command_buffer.
llvm::Expected<CommandBufferApi> getCommandBufferApi(const OpenCLApi &api, cl_platform_id platform);

/// All devices, in the order of listDevices.
struct OpenCLDeviceId {
  cl_platform_id platform;
  cl_device_id device;
};
llvm::Expected<std::vector<OpenCLDeviceId>> getOpenCLDevices(const OpenCLApi &api);

/// "WHAT failed: CL_NAME_OF_CODE (-1)"; std::errc::not_enough_memory for codes that say so.
llvm::Error makeOpenCLError(const llvm::Twine &what, cl_int code);
bool isOutOfMemory(cl_int code);

} // namespace ssmq

#endif // SSMQ_LIB_RUNTIME_OPENCL_API_H
