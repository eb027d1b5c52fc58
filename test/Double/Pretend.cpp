//===- Pretend.cpp - A GPU that takes everything and runs nothing ---------===//

#include "Double.h"

#include <cstdlib>
#include <cstring>
#include <tuple>
#include <type_traits>

using namespace ssmq;

static char handle;
static constexpr char kBuildLog[] = "error: undefined reference to 'foo'\n  in kernel\n";

namespace {
/// Succeeds: any handle is the same one.
template <typename F>
struct Success;
template <typename R, typename... Args>
struct Success<R (*)(Args...)> {
  static R call(Args... args) {
    if constexpr (std::is_same_v<R, cl_int>) {
      return CL_SUCCESS;
    } else {
      auto last = std::get<sizeof...(Args) - 1>(std::tuple<Args...>(args...));
      if constexpr (std::is_same_v<decltype(last), cl_int *>)
        *last = CL_SUCCESS;
      return reinterpret_cast<R>(&handle);
    }
  }
};
} // namespace

static cl_int answer(const void *value, size_t size, size_t room, void *out, size_t *outSize) {
  if (outSize)
    *outSize = size;
  if (out && room < size)
    return CL_INVALID_VALUE;
  if (out)
    std::memcpy(out, value, size);
  return CL_SUCCESS;
}
template <typename T>
static cl_int answer(T value, size_t room, void *out, size_t *outSize) {
  return answer(&value, sizeof(value), room, out, outSize);
}
static cl_int answer(const char *text, size_t room, void *out, size_t *outSize) {
  return answer(text, std::strlen(text) + 1, room, out, outSize);
}

static cl_int getDeviceInfo(cl_device_id, cl_device_info what, size_t room, void *out,
                            size_t *outSize) {
  static constexpr size_t subgroups[] = {8, 16, 32};
  switch (what) {
  case CL_DEVICE_NAME:
  case CL_DRIVER_VERSION: return answer("Test GPU", room, out, outSize);
  case CL_DEVICE_VERSION: return answer("OpenCL 3.0", room, out, outSize);
  case CL_DEVICE_EXTENSIONS:
    return answer("cl_khr_fp16 cl_intel_unified_shared_memory", room, out, outSize);
  case CL_DEVICE_IL_VERSION: return answer("SPIR-V_1.4", room, out, outSize);
  case CL_DEVICE_TYPE: return answer<cl_device_type>(CL_DEVICE_TYPE_GPU, room, out, outSize);
  case CL_DEVICE_SUB_GROUP_SIZES_INTEL:
    return answer(subgroups, sizeof(subgroups), room, out, outSize);
  case CL_DEVICE_MAX_COMPUTE_UNITS: return answer<cl_uint>(64, room, out, outSize);
  case CL_DEVICE_SINGLE_FP_CONFIG:
    return answer<cl_device_fp_config>(CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT, room, out, outSize);
  case CL_DEVICE_GLOBAL_MEM_SIZE:
  case CL_DEVICE_MAX_MEM_ALLOC_SIZE: return answer<cl_ulong>(1 << 30, room, out, outSize);
  case CL_DEVICE_MAX_WORK_GROUP_SIZE:
  case CL_DEVICE_MAX_PARAMETER_SIZE: return answer<size_t>(1024, room, out, outSize);
  case CL_DEVICE_DEVICE_MEM_CAPABILITIES_INTEL:
  case CL_DEVICE_HOST_MEM_CAPABILITIES_INTEL:
  case CL_DEVICE_SINGLE_DEVICE_SHARED_MEM_CAPABILITIES_INTEL:
    return answer<cl_bitfield>(1, room, out, outSize);
  default: return CL_INVALID_VALUE;
  }
}

static cl_int getBuildInfo(cl_program, cl_device_id, cl_program_build_info, size_t room, void *out,
                           size_t *outSize) {
  return answer(kBuildLog, room, out, outSize);
}

/// One handle of each kind.
template <typename T>
static cl_int list(cl_uint room, T *handles, cl_uint *count) {
  if (room)
    *handles = reinterpret_cast<T>(&handle);
  if (count)
    *count = 1;
  return CL_SUCCESS;
}

void ssmq::pretend(Functions &functions) {
#define SSMQ_SUCCEED(NAME) functions.NAME = Success<decltype(functions.NAME)>::call;
  SSMQ_OPENCL_FUNCTIONS(SSMQ_SUCCEED)
  SSMQ_OPENCL_EXTENSION_FUNCTIONS(SSMQ_SUCCEED)
#undef SSMQ_SUCCEED
  functions.clGetPlatformIDs = list;
  functions.clGetDeviceIDs = [](cl_platform_id, cl_device_type, cl_uint room, cl_device_id *devices,
                                cl_uint *count) { return list(room, devices, count); };
  functions.clGetDeviceInfo = getDeviceInfo;
  functions.clGetProgramBuildInfo = getBuildInfo;
  auto allocate = [](cl_context, cl_device_id, const cl_mem_properties_intel *, size_t size,
                     cl_uint, cl_int *code) {
    *code = CL_SUCCESS;
    return std::calloc(size, 1);
  };
  functions.clDeviceMemAllocINTEL = functions.clSharedMemAllocINTEL = allocate;
  functions.clMemBlockingFreeINTEL = [](cl_context, void *memory) {
    std::free(memory);
    return CL_SUCCESS;
  };
  functions.clEnqueueMemcpyINTEL = [](cl_command_queue, cl_bool, void *to, const void *from,
                                      size_t size, cl_uint, const cl_event *, cl_event *) {
    std::memcpy(to, from, size);
    return CL_SUCCESS;
  };
}
