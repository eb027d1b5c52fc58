//===- BufferPoolTest.cpp - Memory of tensors -----------------------------===//

#include "ssmq/Support/Tensor.h"
#include "gtest/gtest.h"
#include <thread>

using namespace ssmq;

/// Tensors of sizes around those at which memory comes from elsewhere keep their own values.
TEST(BufferPool, TensorsDoNotShareMemory) {
  std::vector<Tensor> tensors;
  for (int64_t round = 0; round < 3; ++round) {
    for (int64_t kilobytes : {1, 63, 64, 65, 400, 2048, 4095, 4096, 5000})
      for (int copy = 0; copy < 3; ++copy) {
        Tensor tensor = Tensor::empty(DType::I32, {kilobytes * 256 - copy});
        auto number = static_cast<int32_t>(tensors.size());
        for (int32_t &value : tensor.mutableData<int32_t>())
          value = number;
        EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.getRawData()) % 64, 0u);
        tensors.push_back(std::move(tensor));
      }
    for (size_t i = 0; i < tensors.size(); ++i)
      for (int32_t value : tensors[i].data<int32_t>())
        ASSERT_EQ(value, static_cast<int32_t>(i));
    // Half of them go, and what comes next takes their memory.
    for (size_t i = 0; i < tensors.size(); i += 2)
      tensors[i] = Tensor::fromData<int32_t>({1}, {static_cast<int32_t>(i)});
  }
}

TEST(BufferPool, ServesThreads) {
  std::vector<std::thread> threads;
  for (int32_t number = 0; number < 4; ++number)
    threads.emplace_back([number] {
      for (int round = 0; round < 50; ++round) {
        Tensor tensor = Tensor::empty(DType::I32, {int64_t(20000 + 1000 * (round % 7))});
        for (int32_t &value : tensor.mutableData<int32_t>())
          value = number;
        for (int32_t value : tensor.data<int32_t>())
          ASSERT_EQ(value, number);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}
