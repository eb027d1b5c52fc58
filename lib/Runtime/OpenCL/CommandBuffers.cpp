//===- CommandBuffers.cpp - Runs of launches, recorded and replayed -------===//
//
// Kernels read what changes from token to token (ids, position) from memory, so that the launches
// of a decoded token come again with the same arguments, and no mutable dispatch is needed.
//
//===----------------------------------------------------------------------===//

#include "OpenCLDevice.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace ssmq;
using llvm::Error;

/// A token's launches lie in one run, or in a few with copies between them.
static constexpr size_t kMaxRuns = 8;

Error OpenCLDevice::setArguments(const CheckedLaunch &launch) const {
  cl_kernel kernel = launch.kernel->kernel.get();
  for (auto [i, argument] : llvm::enumerate(launch.arguments)) {
    const SpirvParameter &parameter = launch.kernel->parameters[i];
    cl_int code = parameter.kind == SpirvParameter::Kind::Pointer
                      ? extension.clSetKernelArgMemPointerINTEL(
                            kernel, i, reinterpret_cast<const void *>(argument))
                      : api.clSetKernelArg(kernel, i, parameter.numBytes, &argument);
    if (code != CL_SUCCESS)
      return makeOpenCLError(
          "setting argument " + llvm::Twine(i) + " of kernel " + quote(launch.kernel->name), code);
  }
  return Error::success();
}

Error OpenCLDevice::makeLaunchError(const CheckedLaunch &launch, cl_int code) const {
  auto [x, y, z] = launch.local;
  return makeOpenCLError(
      llvm::formatv("launching {0} with groups {1} x {2} x {3} of {4} x {5} x {6} work-items on "
                    "{7}",
                    quote(launch.kernel->name), launch.global[0] / x, launch.global[1] / y,
                    launch.global[2] / z, x, y, z, info.name)
          .str(),
      code);
}

Error OpenCLDevice::enqueue(llvm::ArrayRef<CheckedLaunch> launches) const {
  for (const CheckedLaunch &launch : launches) {
    if (Error error = setArguments(launch))
      return error;
    cl_int code =
        api.clEnqueueNDRangeKernel(queue.get(), launch.kernel->kernel.get(), 3, nullptr,
                                   launch.global.data(), launch.local.data(), 0, nullptr, nullptr);
    if (code != CL_SUCCESS)
      return makeLaunchError(launch, code);
  }
  return Error::success();
}

Error OpenCLDevice::record(Run &run) const {
  cl_command_queue target = queue.get();
  cl_int code = CL_SUCCESS;
  OpenCLObject<cl_command_buffer_khr> buffer(
      commandBuffers.clCreateCommandBufferKHR(1, &target, nullptr, &code),
      commandBuffers.clReleaseCommandBufferKHR);
  if (code != CL_SUCCESS)
    return makeOpenCLError("making a command buffer on " + info.name, code);
  for (const CheckedLaunch &launch : run.launches) {
    if (Error error = setArguments(launch))
      return error;
    code = commandBuffers.clCommandNDRangeKernelKHR(
        buffer.get(), nullptr, nullptr, launch.kernel->kernel.get(), 3, nullptr,
        launch.global.data(), launch.local.data(), 0, nullptr, nullptr, nullptr);
    if (code != CL_SUCCESS)
      return makeLaunchError(launch, code);
  }
  code = commandBuffers.clFinalizeCommandBufferKHR(buffer.get());
  if (code != CL_SUCCESS)
    return makeOpenCLError("finishing a command buffer on " + info.name, code);
  run.buffer = std::move(buffer);
  return Error::success();
}

Error OpenCLDevice::replay(Run &run) const {
  if (!run.buffer.get())
    if (Error error = record(run))
      return error;
  cl_int code =
      commandBuffers.clEnqueueCommandBufferKHR(0, nullptr, run.buffer.get(), 0, nullptr, nullptr);
  if (code != CL_SUCCESS)
    return makeOpenCLError("launching a command buffer on " + info.name, code);
  run.isPending = true;
  return Error::success();
}

Error OpenCLDevice::enqueueRun(std::vector<CheckedLaunch> launches) {
  if (!info.usesCommandBuffers)
    return enqueue(launches);
  auto known = llvm::find_if(runs, [&](const Run &run) { return run.launches == launches; });
  if (known == runs.end()) {
    // A prompt comes once: it is not worth a command buffer.
    if (runs.size() == kMaxRuns)
      runs.erase(runs.begin());
    runs.push_back({std::move(launches), {}});
    return enqueue(runs.back().launches);
  }
  std::rotate(known, known + 1, runs.end());
  return runs.back().isPending ? enqueue(launches) : replay(runs.back());
}

Error OpenCLDevice::flush() {
  if (waiting.empty())
    return Error::success();
  auto count = static_cast<int64_t>(waiting.size());
  if (Error error = enqueueRun(std::exchange(waiting, {})))
    return error;
  numLaunches += count;
  return Error::success();
}

void OpenCLDevice::noteDone() {
  for (Run &run : runs)
    run.isPending = false;
}
