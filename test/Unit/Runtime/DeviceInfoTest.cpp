//===- DeviceInfoTest.cpp - Which device runs our kernels -----------------===//

#include "ssmq/Runtime/OpenCL/DeviceInfo.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace ssmq;

static DeviceInfo make(std::string name, DeviceKind kind) {
  DeviceInfo info;
  info.name = std::move(name);
  info.kind = kind;
  info.subgroupSizes = {8, 16};
  info.spirvVersions = {"1.4"};
  info.sharedMemory.device = info.hasHalf = true;
  return info;
}

static std::string choose(const std::vector<DeviceInfo> &devices, llvm::StringRef choice) {
  llvm::Expected<size_t> index = chooseDevice(devices, choice);
  return index ? devices[*index].name : llvm::toString(index.takeError());
}

namespace {
TEST(DeviceInfo, AGpuComesBeforeACpu) {
  std::vector<DeviceInfo> devices = {make("fpga", DeviceKind::Other), make("cpu", DeviceKind::CPU),
                                     make("gpu", DeviceKind::GPU), make("gpu2", DeviceKind::GPU)};
  EXPECT_EQ(choose(devices, "xe"), "gpu");
  EXPECT_EQ(choose(devices, "xe:3"), "gpu2");
  devices[2].subgroupSizes = {8};
  EXPECT_EQ(choose(devices, "xe"), "gpu2");
  devices.pop_back();
  EXPECT_EQ(choose(devices, "xe"), "cpu");
}

TEST(DeviceInfo, SaysWhyNoneRuns) {
  std::vector<DeviceInfo> devices = {make("a", DeviceKind::CPU), make("b", DeviceKind::GPU),
                                     make("c", DeviceKind::GPU), make("d", DeviceKind::Other),
                                     make("e", DeviceKind::GPU)};
  devices[0].subgroupSizes = {4};
  devices[1].spirvVersions.clear();
  devices[2].sharedMemory.device = false;
  devices[4].hasHalf = false;
  EXPECT_EQ(choose(devices, "xe"),
            "no OpenCL device can run Xe kernels; a: it has no sub-groups of 16 work-items; b: it "
            "takes no SPIR-V; c: it has no unified shared memory (cl_intel_unified_shared_memory); "
            "d: it is neither a GPU nor a CPU; e: it has no 16-bit floats (cl_khr_fp16)");
  EXPECT_EQ(choose(devices, "xe:0"),
            "device 'xe:0' (a) cannot run Xe kernels: it has no sub-groups of 16 work-items");
  EXPECT_EQ(choose(devices, "xe:5"),
            "device 'xe:5' does not exist: the last is xe:4 (`ssmq devices` lists them)");
  EXPECT_EQ(choose(devices, "xe:x"), "device 'xe:x': what stands after 'xe:' is the number of a "
                                     "device, as `ssmq devices` lists them");
  EXPECT_EQ(choose(devices, "gpu"), "device 'gpu' is not known; take cpu, xe or xe:NUMBER");
}

TEST(DeviceInfo, IsPrinted) {
  DeviceInfo info = make("B140V", DeviceKind::GPU);
  info.platform = "P";
  info.driverVersion = "24";
  info.openCLVersion = "OpenCL 3.0";
  info.computeUnits = 64;
  info.hasMatrixMultiply = true;
  info.sharedMemory.host = info.hasExactDivision = info.hasCommandBuffers = true;
  info.globalMemory = int64_t(16) << 30;
  info.largestAllocation = int64_t(4) << 30;
  info.localMemory = 128 << 10;
  info.largestGroup = 1024;
  info.largestArguments = 2048;
  std::string text;
  llvm::raw_string_ostream stream(text);
  printDevices({info}, stream);
  EXPECT_EQ(text, "xe:0 B140V (gpu; P, driver 24)\n"
                  "  OpenCL 3.0, SPIR-V 1.4; 64 compute units, sub-groups of 8, 16\n"
                  "  dpas native, 2-D block I/O emulated; unified shared memory: device, host\n"
                  "  16.00 GiB (one allocation 4.00 GiB), 128 KiB local, groups of 1024, 2048 "
                  "bytes of arguments\n"
                  "  division and roots rounded correctly; command buffers not used, they need "
                  "another queue\n"
                  "  runs Xe kernels\n");
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(toJson({info}));
  ASSERT_TRUE(bool(json));
  const llvm::json::Object *object = json->getAsArray()->front().getAsObject();
  EXPECT_EQ(object->getString("kind"), "gpu");
  EXPECT_EQ(object->getInteger("global_memory"), int64_t(16) << 30);
  EXPECT_EQ(object->getString("obstacle"), "");
  EXPECT_EQ(object->getBoolean("correctly_rounded_divide_sqrt"), true);
  EXPECT_EQ(object->getBoolean("command_buffers"), true);
  EXPECT_EQ(object->getBoolean("command_buffers_used"), false);
}
} // namespace
