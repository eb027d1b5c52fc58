//===- Functions.h - The OpenCL functions that are used ---------*- C++ -*-===//

#ifndef SSMQ_LIB_RUNTIME_OPENCL_FUNCTIONS_H
#define SSMQ_LIB_RUNTIME_OPENCL_FUNCTIONS_H

#define CL_TARGET_OPENCL_VERSION 300
// Newer headers hide cl_khr_command_buffer otherwise.
#define CL_ENABLE_BETA_EXTENSIONS
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

/// Of a platform with cl_khr_command_buffer.
#define SSMQ_OPENCL_COMMAND_BUFFER_FUNCTIONS(X)                                                    \
  X(clCommandNDRangeKernelKHR)                                                                     \
  X(clCreateCommandBufferKHR)                                                                      \
  X(clEnqueueCommandBufferKHR)                                                                     \
  X(clFinalizeCommandBufferKHR)                                                                    \
  X(clReleaseCommandBufferKHR)

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

struct CommandBufferApi {
#define SSMQ_MEMBER(NAME) NAME##_fn NAME = nullptr;
  SSMQ_OPENCL_COMMAND_BUFFER_FUNCTIONS(SSMQ_MEMBER)
#undef SSMQ_MEMBER
};

} // namespace ssmq

#endif // SSMQ_LIB_RUNTIME_OPENCL_FUNCTIONS_H
