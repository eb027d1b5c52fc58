//===- DeviceInfo.cpp - What OpenCL devices can do ------------------------===//

#include "ssmq/Runtime/OpenCL/DeviceInfo.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Expected;

static constexpr const char *kKindNames[] = {"gpu", "cpu", "other"};

static llvm::StringRef getName(DeviceKind kind) { return kKindNames[static_cast<int>(kind)]; }

std::string DeviceInfo::getObstacle() const {
  if (!llvm::is_contained(subgroupSizes, kSubgroupSize))
    return "it has no sub-groups of 16 work-items";
  if (spirvVersions.empty())
    return "it takes no SPIR-V";
  if (!sharedMemory.device)
    return "it has no unified shared memory (cl_intel_unified_shared_memory)";
  if (!hasHalf)
    return "it has no 16-bit floats (cl_khr_fp16)";
  return "";
}

static llvm::Error fail(std::errc code, const llvm::formatv_object_base &message) {
  return llvm::createStringError(std::make_error_code(code), llvm::Twine(toOneLine(message.str())));
}

Expected<std::optional<size_t>> ssmq::parseDeviceChoice(llvm::StringRef choice) {
  if (choice == "xe")
    return std::nullopt;
  size_t index = 0;
  llvm::StringRef number = choice;
  if (!number.consume_front("xe:"))
    return fail(std::errc::invalid_argument,
                llvm::formatv("device {0} is not known; take cpu, xe or xe:NUMBER", quote(choice)));
  if (number.getAsInteger(10, index))
    return fail(std::errc::invalid_argument,
                llvm::formatv("device {0}: what stands after 'xe:' is the number of a device, as "
                              "`ssmq devices` lists them",
                              quote(choice)));
  return index;
}

Expected<size_t> ssmq::chooseDevice(const std::vector<DeviceInfo> &devices,
                                    llvm::StringRef choice) {
  Expected<std::optional<size_t>> number = parseDeviceChoice(choice);
  if (!number)
    return number.takeError();
  if (std::optional<size_t> index = *number) {
    if (*index >= devices.size())
      return fail(std::errc::no_such_device,
                  llvm::formatv("device {0} does not exist: the last is xe:{1} (`ssmq devices` "
                                "lists them)",
                                quote(choice), devices.size() - 1));
    std::string obstacle = devices[*index].getObstacle();
    if (!obstacle.empty())
      return fail(std::errc::no_such_device,
                  llvm::formatv("device {0} ({1}) cannot run Xe kernels: {2}", quote(choice),
                                devices[*index].name, obstacle));
    return *index;
  }
  for (DeviceKind kind : {DeviceKind::GPU, DeviceKind::CPU})
    for (auto [index, device] : llvm::enumerate(devices))
      if (device.kind == kind && device.getObstacle().empty())
        return index;
  std::string obstacles;
  for (const DeviceInfo &device : devices) {
    std::string obstacle = device.getObstacle();
    obstacles +=
        "; " + device.name + ": " + (obstacle.empty() ? "it is neither a GPU nor a CPU" : obstacle);
  }
  return fail(std::errc::no_such_device,
              llvm::formatv("no OpenCL device can run Xe kernels{0}", obstacles));
}

std::string ssmq::toJson(const std::vector<DeviceInfo> &devices) {
  llvm::json::Array array;
  for (const DeviceInfo &device : devices)
    array.push_back(llvm::json::Object{
        {"platform", device.platform},
        {"name", device.name},
        {"driver_version", device.driverVersion},
        {"opencl_version", device.openCLVersion},
        {"kind", getName(device.kind)},
        {"compute_units", device.computeUnits},
        {"subgroup_sizes", llvm::json::Array(device.subgroupSizes)},
        {"spirv_versions", llvm::json::Array(device.spirvVersions)},
        {"matrix_multiply", device.hasMatrixMultiply},
        {"block_io", device.hasBlockIO},
        {"half", device.hasHalf},
        {"integer_dot_product", device.hasIntegerDotProduct},
        {"correctly_rounded_divide_sqrt", device.hasExactDivision},
        {"command_buffers", device.hasCommandBuffers},
        {"command_buffers_used", device.usesCommandBuffers},
        {"shared_memory", llvm::json::Object{{"device", device.sharedMemory.device},
                                             {"host", device.sharedMemory.host},
                                             {"shared", device.sharedMemory.shared},
                                             {"system", device.sharedMemory.system}}},
        {"global_memory", device.globalMemory},
        {"largest_allocation", device.largestAllocation},
        {"local_memory", device.localMemory},
        {"largest_group", device.largestGroup},
        {"largest_arguments", device.largestArguments},
        {"obstacle", device.getObstacle()}});
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:2}", llvm::json::Value(std::move(array)));
  return text;
}

static double toGiB(int64_t bytes) { return static_cast<double>(bytes) / (int64_t(1) << 30); }

void ssmq::printDevices(const std::vector<DeviceInfo> &devices, llvm::raw_ostream &stream) {
  for (auto [index, device] : llvm::enumerate(devices)) {
    auto answer = [](bool has) { return has ? "native" : "emulated"; };
    auto memory = device.sharedMemory;
    std::string kinds;
    for (auto [has, name] :
         {std::pair(memory.device, "device"), std::pair(memory.host, "host"),
          std::pair(memory.shared, "shared"), std::pair(memory.system, "system")})
      if (has)
        kinds += (kinds.empty() ? "" : ", ") + std::string(name);
    stream << llvm::formatv("xe:{0} {1} ({2}; {3}, driver {4})\n", index, device.name,
                            getName(device.kind), device.platform, device.driverVersion);
    stream << llvm::formatv(
        "  {0}, SPIR-V {1}; {2} compute units, sub-groups of {3}\n", device.openCLVersion,
        llvm::join(device.spirvVersions, ", "), device.computeUnits,
        llvm::make_range(device.subgroupSizes.begin(), device.subgroupSizes.end()));
    stream << llvm::formatv("  dpas {0}, 2-D block I/O {1}; unified shared memory: {2}\n",
                            answer(device.hasMatrixMultiply), answer(device.hasBlockIO),
                            kinds.empty() ? "none" : kinds);
    stream << llvm::formatv("  {0:f2} GiB (one allocation {1:f2} GiB), {2} KiB local, groups of "
                            "{3}, {4} bytes of arguments\n",
                            toGiB(device.globalMemory), toGiB(device.largestAllocation),
                            device.localMemory / 1024, device.largestGroup,
                            device.largestArguments);
    stream << llvm::formatv("  division and roots {0}; command buffers {1}\n",
                            device.hasExactDivision ? "rounded correctly"
                                                    : "as the device has them",
                            device.usesCommandBuffers  ? "used"
                            : device.hasCommandBuffers ? "not used, they need another queue"
                                                       : "not offered");
    std::string obstacle = device.getObstacle();
    stream << "  " << (obstacle.empty() ? "runs Xe kernels" : "cannot run Xe kernels: " + obstacle)
           << "\n";
  }
}
