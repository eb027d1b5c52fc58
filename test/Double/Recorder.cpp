//===- Recorder.cpp - Command buffers that enqueue what they recorded -----===//
//
// Of cl_khr_command_buffer what ssmq calls, strictly: a buffer takes launches until it is
// finalized, launches keep the arguments that their kernel has at that time, and a buffer that was
// enqueued cannot be enqueued again before clFinish.
//
//===----------------------------------------------------------------------===//

#include "Double.h"

#include <array>
#include <map>
#include <vector>

using namespace ssmq;

namespace {
struct Argument {
  const void *pointer = nullptr;
  std::vector<char> number;
};
using Arguments = std::map<cl_uint, Argument>;

struct Launch {
  cl_kernel kernel;
  Arguments arguments;
  std::array<size_t, 3> global, local;
};

struct Buffer {
  cl_command_queue queue;
  std::vector<Launch> launches;
  bool isFinal = false, isPending = false, isReleased = false;
};
} // namespace

static Functions original;
static std::map<cl_kernel, Arguments> arguments;
static std::vector<Buffer *> pending;

static Buffer *get(cl_command_buffer_khr handle) { return reinterpret_cast<Buffer *>(handle); }

static cl_int setArguments(cl_kernel kernel, const Arguments &values) {
  for (const auto &[index, value] : values)
    if (cl_int code =
            value.pointer
                ? original.clSetKernelArgMemPointerINTEL(kernel, index, value.pointer)
                : original.clSetKernelArg(kernel, index, value.number.size(), value.number.data()))
      return code;
  return CL_SUCCESS;
}

static cl_int record(cl_command_buffer_khr handle, cl_command_queue queue,
                     const cl_ndrange_kernel_command_properties_khr *, cl_kernel kernel,
                     cl_uint dimensions, const size_t *, const size_t *global, const size_t *local,
                     cl_uint, const cl_sync_point_khr *, cl_sync_point_khr *,
                     cl_mutable_command_khr *) {
  if (get(handle)->isFinal || queue || dimensions != 3)
    return CL_INVALID_OPERATION;
  get(handle)->launches.push_back({kernel,
                                   arguments[kernel],
                                   {global[0], global[1], global[2]},
                                   {local[0], local[1], local[2]}});
  return CL_SUCCESS;
}

static cl_int enqueue(cl_uint, cl_command_queue *, cl_command_buffer_khr handle, cl_uint,
                      const cl_event *, cl_event *) {
  Buffer *buffer = get(handle);
  if (!buffer->isFinal || buffer->isPending)
    return CL_INVALID_OPERATION;
  for (const Launch &launch : buffer->launches) {
    cl_int code = setArguments(launch.kernel, launch.arguments);
    if (code == CL_SUCCESS)
      code = original.clEnqueueNDRangeKernel(buffer->queue, launch.kernel, 3, nullptr,
                                             launch.global.data(), launch.local.data(), 0, nullptr,
                                             nullptr);
    // Arguments that are set outside stay what they are there.
    if (code == CL_SUCCESS)
      code = setArguments(launch.kernel, arguments[launch.kernel]);
    if (code != CL_SUCCESS)
      return code;
  }
  buffer->isPending = true;
  pending.push_back(buffer);
  return CL_SUCCESS;
}

void ssmq::recordLaunches(Functions &functions) {
  original = functions;
  functions.clSetKernelArg = [](cl_kernel kernel, cl_uint index, size_t size, const void *value) {
    auto *bytes = static_cast<const char *>(value);
    arguments[kernel][index] = {nullptr, std::vector<char>(bytes, bytes + size)};
    return original.clSetKernelArg(kernel, index, size, value);
  };
  functions.clSetKernelArgMemPointerINTEL = [](cl_kernel kernel, cl_uint index, const void *value) {
    arguments[kernel][index] = {value, {}};
    return original.clSetKernelArgMemPointerINTEL(kernel, index, value);
  };
  functions.clFinish = [](cl_command_queue queue) {
    for (Buffer *buffer : pending) {
      buffer->isPending = false;
      if (buffer->isReleased)
        delete buffer;
    }
    pending.clear();
    return original.clFinish(queue);
  };
  functions.clCreateCommandBufferKHR = [](cl_uint, const cl_command_queue *queues,
                                          const cl_command_buffer_properties_khr *, cl_int *code) {
    *code = CL_SUCCESS;
    return reinterpret_cast<cl_command_buffer_khr>(new Buffer{*queues, {}});
  };
  functions.clCommandNDRangeKernelKHR = record;
  functions.clFinalizeCommandBufferKHR = [](cl_command_buffer_khr handle) {
    get(handle)->isFinal = true;
    return CL_SUCCESS;
  };
  functions.clEnqueueCommandBufferKHR = enqueue;
  functions.clReleaseCommandBufferKHR = [](cl_command_buffer_khr handle) {
    get(handle)->isReleased = true;
    if (!get(handle)->isPending)
      delete get(handle);
    return CL_SUCCESS;
  };
}
