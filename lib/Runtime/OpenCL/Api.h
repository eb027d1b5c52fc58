//===- Api.h - The OpenCL functions, found at run time ----------*- C++ -*-===//

#ifndef SSMQ_LIB_RUNTIME_OPENCL_API_H
#define SSMQ_LIB_RUNTIME_OPENCL_API_H

#define CL_TARGET_OPENCL_VERSION 300
#include "llvm/Support/Error.h"
#include <CL/cl.h>
#include <CL/cl_ext.h>

namespace ssmq {

/// Of the loader.
#define SSMQ_OPENCL_FUNCTIONS(X)                                                                   \
  X(clBuildProgram)                                                                                \
  X(clCompileProgram)                                                                              \
  X(clCreateCommandQueueWithProperties)                                                            \
  X(clCreateContext)                                                                               \
  X(clCreateKernel)                                                                                \
  X(clCreateProgramWithIL)                                                                         \
  X(clCreateProgramWithSource)                                                                     \
  X(clEnqueueNDRangeKernel)                                                                        \
  X(clFinish)                                                                                      \
  X(clGetDeviceIDs)                                                                                \
  X(clGetDeviceInfo)                                                                               \
  X(clGetExtensionFunctionAddressForPlatform)                                                      \
  X(clGetPlatformIDs)                                                                              \
  X(clGetPlatformInfo)                                                                             \
  X(clGetProgramBuildInfo)                                                                         \
  X(clLinkProgram)                                                                                 \
  X(clReleaseCommandQueue)                                                                         \
  X(clReleaseContext)                                                                              \
  X(clReleaseKernel)                                                                               \
  X(clReleaseProgram)                                                                              \
  X(clSetKernelArg)

/// Of a platform with cl_intel_unified_shared_memory.
#define SSMQ_OPENCL_EXTENSION_FUNCTIONS(X)                                                         \
  X(clDeviceMemAllocINTEL)                                                                         \
  X(clEnqueueMemFillINTEL)                                                                         \
  X(clEnqueueMemcpyINTEL)                                                                          \
  X(clHostMemAllocINTEL)                                                                           \
  X(clMemBlockingFreeINTEL)                                                                        \
  X(clSetKernelArgMemPointerINTEL)                                                                 \
  X(clSharedMemAllocINTEL)

struct OpenCLApi {
#define SSMQ_MEMBER(NAME) decltype(&::NAME) NAME = nullptr;
  SSMQ_OPENCL_FUNCTIONS(SSMQ_MEMBER)
#undef SSMQ_MEMBER
};

struct OpenCLExtensionApi {
#define SSMQ_MEMBER(NAME) NAME##_fn NAME = nullptr;
  SSMQ_OPENCL_EXTENSION_FUNCTIONS(SSMQ_MEMBER)
#undef SSMQ_MEMBER
};

/// Opens the loader that $SSMQ_OPENCL names, else libOpenCL.so.1; once a name.
llvm::Expected<const OpenCLApi *> getOpenCLApi();

llvm::Expected<OpenCLExtensionApi> getOpenCLExtensionApi(const OpenCLApi &api,
                                                         cl_platform_id platform);

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
