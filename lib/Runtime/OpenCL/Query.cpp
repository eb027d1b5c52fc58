//===- Query.cpp - Asks OpenCL devices what they can do -------------------===//

#include "Query.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace ssmq;
using llvm::Expected;

namespace {
/// Answers of one device; a question that it does not know has none.
class Questions {
public:
  Questions(const OpenCLApi &api, cl_device_id device) : api(api), device(device) {}

  std::string getText(cl_device_info what) const {
    std::vector<char> bytes = getArray<char>(what);
    return llvm::StringRef(bytes.data(), bytes.size())
        .take_until([](char c) { return c == 0; })
        .trim()
        .str();
  }
  template <typename T>
  T get(cl_device_info what) const {
    T value{};
    return api.clGetDeviceInfo(device, what, sizeof(T), &value, nullptr) == CL_SUCCESS ? value
                                                                                       : T{};
  }
  template <typename T>
  std::vector<T> getArray(cl_device_info what) const {
    size_t numBytes = 0;
    if (api.clGetDeviceInfo(device, what, 0, nullptr, &numBytes) != CL_SUCCESS)
      return {};
    std::vector<T> values(numBytes / sizeof(T));
    if (api.clGetDeviceInfo(device, what, values.size() * sizeof(T), values.data(), nullptr) !=
        CL_SUCCESS)
      return {};
    return values;
  }

private:
  const OpenCLApi &api;
  cl_device_id device;
};
} // namespace

static std::string getPlatformName(const OpenCLApi &api, cl_platform_id platform) {
  char name[256] = {};
  api.clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof(name) - 1, name, nullptr);
  return name;
}

/// From "SPIR-V_1.0 SPIR-V_1.4 ...".
static std::vector<std::string> parseSpirvVersions(llvm::StringRef text) {
  std::vector<std::string> versions;
  for (llvm::StringRef word : llvm::split(text, ' '))
    if (word.consume_front("SPIR-V_"))
      versions.push_back(word.str());
  return versions;
}

DeviceInfo ssmq::queryDevice(const OpenCLApi &api, const OpenCLDeviceId &id) {
  Questions ask(api, id.device);
  llvm::StringSet<> extensions;
  std::string extensionText = ask.getText(CL_DEVICE_EXTENSIONS);
  for (llvm::StringRef name : llvm::split(extensionText, ' '))
    extensions.insert(name);

  DeviceInfo info;
  info.platform = getPlatformName(api, id.platform);
  info.name = ask.getText(CL_DEVICE_NAME);
  info.driverVersion = ask.getText(CL_DRIVER_VERSION);
  info.openCLVersion = ask.getText(CL_DEVICE_VERSION);
  auto type = ask.get<cl_device_type>(CL_DEVICE_TYPE);
  info.kind = type & CL_DEVICE_TYPE_GPU   ? DeviceKind::GPU
              : type & CL_DEVICE_TYPE_CPU ? DeviceKind::CPU
                                          : DeviceKind::Other;
  info.computeUnits = ask.get<cl_uint>(CL_DEVICE_MAX_COMPUTE_UNITS);
  for (size_t size : ask.getArray<size_t>(CL_DEVICE_SUB_GROUP_SIZES_INTEL))
    info.subgroupSizes.push_back(static_cast<int64_t>(size));
  info.spirvVersions = parseSpirvVersions(ask.getText(CL_DEVICE_IL_VERSION));

  info.hasMatrixMultiply = extensions.contains("cl_intel_subgroup_matrix_multiply_accumulate");
  info.hasBlockIO = extensions.contains("cl_intel_subgroup_2d_block_io");
  info.hasHalf = extensions.contains("cl_khr_fp16");
  info.hasIntegerDotProduct = extensions.contains("cl_khr_integer_dot_product");
  info.hasExactDivision = ask.get<cl_device_fp_config>(CL_DEVICE_SINGLE_FP_CONFIG) &
                          CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;
  info.hasCommandBuffers = extensions.contains("cl_khr_command_buffer");
  info.usesCommandBuffers =
      info.hasCommandBuffers && ask.get<cl_command_queue_properties>(
                                    CL_DEVICE_COMMAND_BUFFER_REQUIRED_QUEUE_PROPERTIES_KHR) == 0;
  if (extensions.contains("cl_intel_unified_shared_memory")) {
    auto has = [&](cl_device_info kind) { return ask.get<cl_bitfield>(kind) != 0; };
    info.sharedMemory = {has(CL_DEVICE_DEVICE_MEM_CAPABILITIES_INTEL),
                         has(CL_DEVICE_HOST_MEM_CAPABILITIES_INTEL),
                         has(CL_DEVICE_SINGLE_DEVICE_SHARED_MEM_CAPABILITIES_INTEL),
                         has(CL_DEVICE_SHARED_SYSTEM_MEM_CAPABILITIES_INTEL)};
  }

  info.globalMemory = static_cast<int64_t>(ask.get<cl_ulong>(CL_DEVICE_GLOBAL_MEM_SIZE));
  info.largestAllocation = static_cast<int64_t>(ask.get<cl_ulong>(CL_DEVICE_MAX_MEM_ALLOC_SIZE));
  info.localMemory = static_cast<int64_t>(ask.get<cl_ulong>(CL_DEVICE_LOCAL_MEM_SIZE));
  info.largestGroup = static_cast<int64_t>(ask.get<size_t>(CL_DEVICE_MAX_WORK_GROUP_SIZE));
  info.largestArguments = static_cast<int64_t>(ask.get<size_t>(CL_DEVICE_MAX_PARAMETER_SIZE));
  return info;
}

Expected<std::vector<DeviceInfo>> ssmq::listDevices() {
  Expected<const OpenCLApi *> api = getOpenCLApi();
  if (!api)
    return api.takeError();
  Expected<std::vector<OpenCLDeviceId>> ids = getOpenCLDevices(**api);
  if (!ids)
    return ids.takeError();
  std::vector<DeviceInfo> devices;
  for (const OpenCLDeviceId &id : *ids)
    devices.push_back(queryDevice(**api, id));
  return devices;
}
