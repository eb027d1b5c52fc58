//===- DeviceTest.cpp - Memory and launches of a device -------------------===//

#include "TestDevice.h"
#include "ssmq/Runtime/OpenCL/Launch.h"
#include "llvm/ADT/bit.h"
#include <numeric>

using namespace ssmq;

namespace {
class DeviceRuns : public DeviceTest {
protected:
  DeviceRuns() : DeviceTest(getBytes()) {}

private:
  static llvm::StringRef getBytes() {
    static std::string bytes = readKernels("Kernels");
    return bytes;
  }
};

TEST_F(DeviceRuns, DescribesWhatIsEmulated) {
  EXPECT_EQ(device->getInfo().getObstacle(), "");
  EXPECT_NE(device->describe().find("dpas "), std::string::npos);
}

TEST_F(DeviceRuns, CopiesAndFills) {
  std::vector<int32_t> values(1000), back(1000);
  std::iota(values.begin(), values.end(), 7);
  llvm::Expected<void *> a = device->allocate(DeviceMemory::Device, 4000);
  llvm::Expected<void *> b = device->allocate(DeviceMemory::Device, 4000);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(device->getAllocatedBytes(), 8000);
  EXPECT_FALSE(device->copy(*a, values.data(), 4000));
  EXPECT_FALSE(device->enqueueFill(*b, "\xff", 4000));
  EXPECT_FALSE(device->enqueueCopy(*b, *a, 2000));
  EXPECT_FALSE(device->copy(back.data(), *b, 4000));
  std::fill(values.begin() + 500, values.end(), -1);
  EXPECT_EQ(back, values);
  device->free(*a);
  device->free(*b);
  EXPECT_EQ(device->getAllocatedBytes(), 0);
}

TEST_F(DeviceRuns, LaunchesWithPointersAndNumbers) {
  std::vector<float> a(100, 3), b(100), sum(112, -1);
  std::iota(b.begin(), b.end(), 0);
  float *result = share<float>(sum);
  int64_t factor = llvm::bit_cast<uint32_t>(0.5f);
  EXPECT_EQ(run("add",
                {toArgument(share<float>(a)), toArgument(share<float>(b)), toArgument(result), 100,
                 factor},
                0b111, 7),
            "");
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(result[i], 3 + 0.5f * i);
  EXPECT_EQ(result[100], -1);
  EXPECT_EQ(device->getNumLaunches(), 1);
}

TEST_F(DeviceRuns, CompiledCodeLaunchesOnTheCurrentDevice) {
  int32_t *at = share<int32_t>(std::vector<int32_t>(2 * 3 * 2 * 16));
  int64_t sizes[] = {2, 3, 2, 16, 1, 1}, arguments[] = {toArgument(at), 7};
  auto launch = [&] {
    ssmq_xe_launch(kernels.data(), int64_t(kernels.size()), "whereAmI", sizes, arguments, 2, 1);
  };
  launch();
  EXPECT_EQ(device->getNumLaunches(), 0);
  CurrentDevice current(*device);
  launch();
  EXPECT_FALSE(device->takeError());
  for (int i = 0; i < 192; ++i)
    ASSERT_EQ(at[i], i / 16 % 2 + 10 * (i / 32 % 3) + 100 * (i / 96) + 1000 * (i % 16) + 7) << i;
  sizes[1] = 0;
  launch();
  EXPECT_FALSE(device->takeError());
  EXPECT_EQ(device->getNumLaunches(), 1);
}

TEST_F(DeviceRuns, ReplaysRunsOfLaunches) {
  float *sum = share<float>(std::vector<float>(16)), *one = share<float>(std::vector<float>(16, 1)),
        *other = share<float>(std::vector<float>(16));
  KernelLaunch launch;
  launch.spirv = kernels;
  launch.kernel = "add";
  launch.items[0] = 16;
  int64_t arguments[] = {toArgument(sum), toArgument(one), toArgument(sum), 16,
                         llvm::bit_cast<uint32_t>(1.0f)};
  launch.arguments = arguments;
  launch.pointerMask = 0b111;
  for (int round = 1; round <= 6; ++round) {
    EXPECT_FALSE(device->launch(launch));
    EXPECT_FALSE(device->launch(launch));
    // Ends the run, and leaves it pending in the first rounds.
    EXPECT_FALSE(device->enqueueFill(other, llvm::StringRef("\0", 1), 64));
    if (round < 4)
      continue;
    EXPECT_FALSE(device->finish());
    EXPECT_EQ(sum[15], 2 * round);
    EXPECT_EQ(device->getNumLaunches(), 2 * round);
    if (round == 4)
      device->free(other), other = share<float>(std::vector<float>(16));
  }
}

TEST_F(DeviceRuns, ScratchGrows) {
  CurrentDevice current(*device);
  int key = 0, other = 0;
  void *small = ssmq_xe_scratch(&key, 100);
  EXPECT_NE(small, nullptr);
  EXPECT_EQ(ssmq_xe_scratch(&key, 60), small);
  EXPECT_NE(ssmq_xe_scratch(&other, 60), small);
  EXPECT_EQ(device->getAllocatedBytes(), 160);
  EXPECT_NE(ssmq_xe_scratch(&key, 5000), nullptr);
  EXPECT_EQ(device->getAllocatedBytes(), 5060);
}

TEST_F(DeviceRuns, KeepsTheFirstErrorOfCompiledCode) {
  CurrentDevice current(*device);
  int64_t sizes[] = {1, 1, 1, 16, 1, 1};
  auto launch = [&](const char *kernel) {
    ssmq_xe_launch(kernels.data(), int64_t(kernels.size()), kernel, sizes, nullptr, 0, 0);
  };
  launch("missing");
  launch("another");
  EXPECT_EQ(ssmq_xe_scratch(&sizes, 16), nullptr);
  EXPECT_EQ(llvm::toString(device->takeError()), "the SPIR-V module has no kernel 'missing'");
  EXPECT_FALSE(device->takeError());
  EXPECT_NE(ssmq_xe_scratch(&sizes, 16), nullptr);
}

TEST_F(DeviceRuns, RefusesWrongArguments) {
  int64_t pointer = toArgument(share<int32_t>({0}));
  EXPECT_EQ(run("whereAmI", {pointer}, 1),
            "kernel 'whereAmI' has 2 parameters (at most 63 are possible) and was launched with 1 "
            "arguments");
  EXPECT_EQ(run("whereAmI", {pointer, 0}, 0), "parameter 0 of kernel 'whereAmI' is no number of at "
                                              "most 64 bits");
  EXPECT_EQ(run("whereAmI", {pointer, pointer}, 3),
            "parameter 1 of kernel 'whereAmI' is no pointer");
  EXPECT_NE(run("whereAmI", {pointer, 0}, 1, 1, int64_t(1) << 40).find("CL_INVALID_"),
            std::string::npos);
  EXPECT_EQ(run("whereAmI", {pointer, 0}, 1, -1),
            "kernel 'whereAmI' was launched with -1 groups of 16 work-items");
  EXPECT_EQ(device->getNumLaunches(), 0);
}

TEST_F(DeviceRuns, TellsHowMuchMemoryThereIs) {
  const DeviceInfo &info = device->getInfo();
  llvm::Expected<void *> memory =
      device->allocate(DeviceMemory::Device, info.largestAllocation + 1);
  ASSERT_FALSE(bool(memory));
  llvm::Error error = memory.takeError();
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &one) {
    EXPECT_EQ(one.convertToErrorCode(), std::errc::not_enough_memory);
    EXPECT_EQ(one.message(), "out of device memory: asked " +
                                 std::to_string(info.largestAllocation + 1) + " bytes, " +
                                 info.name + " has " + std::to_string(info.globalMemory) +
                                 " and 0 of them are taken, the largest allocation is " +
                                 std::to_string(info.largestAllocation));
  });
  memory = device->allocate(DeviceMemory::Shared, -1);
  EXPECT_EQ(llvm::toString(memory.takeError()), "an allocation of -1 bytes is not possible");
}

TEST_F(DeviceRuns, RefusesWhatIsNoSpirv) {
  KernelLaunch launch;
  launch.spirv = "not SPIR-V";
  launch.kernel = "add";
  EXPECT_EQ(llvm::toString(device->launch(launch)), "10 bytes are no SPIR-V module");
}

TEST(NoDevice, SaysWhatIsMissing) {
  setenv("SSMQ_OPENCL", "/nonexistent/libOpenCL.so", 1);
  auto devices = listDevices();
  unsetenv("SSMQ_OPENCL");
  ASSERT_FALSE(bool(devices));
  llvm::handleAllErrors(devices.takeError(), [&](const llvm::ErrorInfoBase &one) {
    EXPECT_EQ(one.convertToErrorCode(), std::errc::no_such_device);
    EXPECT_NE(one.message().find("OpenCL"), std::string::npos) << one.message();
  });
}
} // namespace
