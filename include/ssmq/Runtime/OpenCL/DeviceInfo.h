//===- DeviceInfo.h - What OpenCL devices can do ----------------*- C++ -*-===//
//
// Devices in the order in which the OpenCL loader names their platforms and these name them; a
// device's number is its place in that list. Everything here was asked of the driver. Sizes are in
// bytes. The loader is opened when it is first needed: libOpenCL.so.1, or what $SSMQ_OPENCL names.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_OPENCL_DEVICEINFO_H
#define SSMQ_RUNTIME_OPENCL_DEVICEINFO_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace ssmq {

enum class DeviceKind { GPU, CPU, Other };

struct DeviceInfo {
  std::string platform, name, driverVersion, openCLVersion;
  DeviceKind kind = DeviceKind::Other;
  int64_t computeUnits = 0;
  std::vector<int64_t> subgroupSizes;
  /// As "1.4".
  std::vector<std::string> spirvVersions;

  /// cl_intel_subgroup_matrix_multiply_accumulate (dpas) and cl_intel_subgroup_2d_block_io.
  bool hasMatrixMultiply = false, hasBlockIO = false;
  bool hasHalf = false, hasIntegerDotProduct = false;
  /// Whether division and square root of f32 can be rounded correctly; kernels then ask for it.
  bool hasExactDivision = false;
  /// cl_khr_command_buffer; used where it takes an in-order queue.
  bool hasCommandBuffers = false, usesCommandBuffers = false;
  /// Kinds of memory of cl_intel_unified_shared_memory; `system` is all that the host allocates.
  struct SharedMemory {
    bool device = false, host = false, shared = false, system = false;
  } sharedMemory;

  int64_t globalMemory = 0, largestAllocation = 0, localMemory = 0;
  /// Work-items of a work-group, bytes of a kernel's arguments.
  int64_t largestGroup = 0, largestArguments = 0;

  /// What it lacks to run the kernels of --ssmq-lower-to-xe, in words; empty when it can.
  std::string getObstacle() const;
};

/// Work-items of a sub-group in every kernel of ours, as Xe2 has them.
constexpr int64_t kSubgroupSize = 16;

/// Fails when there is no loader or no device, with std::errc::no_such_device.
llvm::Expected<std::vector<DeviceInfo>> listDevices();

/// The number in "xe:N", nothing for "xe"; another choice fails with std::errc::invalid_argument.
llvm::Expected<std::optional<size_t>> parseDeviceChoice(llvm::StringRef choice);

/// The number of the device that `choice` names: "xe" is the first GPU that runs our kernels, else
/// the first CPU that does; "xe:N" is device N, which must run them. Where there is none, fails
/// with std::errc::no_such_device.
llvm::Expected<size_t> chooseDevice(const std::vector<DeviceInfo> &devices, llvm::StringRef choice);

/// A JSON array of objects, one a device.
std::string toJson(const std::vector<DeviceInfo> &devices);
/// A few lines a device.
void printDevices(const std::vector<DeviceInfo> &devices, llvm::raw_ostream &stream);

} // namespace ssmq

#endif // SSMQ_RUNTIME_OPENCL_DEVICEINFO_H
