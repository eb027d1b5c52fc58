//===- KernelTestUtils.h - Seeded tensors and comparisons -------*- C++ -*-===//

#ifndef SSMQ_TEST_UNIT_KERNELS_KERNELTESTUTILS_H
#define SSMQ_TEST_UNIT_KERNELS_KERNELTESTUTILS_H

#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Support/Tensor.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <random>

namespace ssmq::testing {

inline constexpr KernelOptions reference = {KernelSet::Reference, 1};
inline constexpr KernelOptions fast = {KernelSet::Fast, 1};
inline constexpr KernelOptions fastThreaded = {KernelSet::Fast, 3};

/// Uniform values in [low, high); the same for the same seed.
inline Tensor random(unsigned seed, llvm::ArrayRef<int64_t> shape, float low = -1, float high = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> values(low, high);
  Tensor result = Tensor::empty(DType::F32, shape);
  for (float &value : result.mutableData<float>())
    value = values(generator);
  return result;
}

inline Tensor tensor(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
  return Tensor::fromData<float>(shape, values);
}

/// Rows [begin, end) of the outermost dimension.
inline Tensor rows(const Tensor &from, int64_t begin, int64_t end) {
  Shape shape(from.getShape());
  int64_t width = from.getNumElements() / shape[0];
  shape[0] = end - begin;
  return tensor(shape, from.data<float>().slice(begin * width, (end - begin) * width));
}

inline Tensor concatRows(const Tensor &first, const Tensor &second) {
  Shape shape(first.getShape());
  shape[0] += second.getDim(0);
  Tensor result = Tensor::empty(DType::F32, shape);
  auto out = std::copy(first.data<float>().begin(), first.data<float>().end(),
                       result.mutableData<float>().begin());
  std::copy(second.data<float>().begin(), second.data<float>().end(), out);
  return result;
}

/// Largest |actual - expected| against `tolerance` times the largest |expected| (at least one).
inline void expectClose(const Tensor &actual, const Tensor &expected, double tolerance) {
  ASSERT_EQ(actual.getShape(), expected.getShape());
  double largest = 1, worst = 0;
  for (float value : expected.data<float>())
    largest = std::max(largest, std::fabs(static_cast<double>(value)));
  for (size_t i = 0; i < expected.data<float>().size(); ++i) {
    double difference = std::fabs(static_cast<double>(actual.data<float>()[i]) -
                                  static_cast<double>(expected.data<float>()[i]));
    ASSERT_FALSE(std::isnan(difference)) << "at " << i;
    worst = std::max(worst, difference);
  }
  EXPECT_LE(worst, tolerance * largest);
}

inline void expectSameBits(const Tensor &actual, const Tensor &expected) {
  ASSERT_EQ(actual.getShape(), expected.getShape());
  EXPECT_EQ(std::memcmp(actual.getRawData(), expected.getRawData(), expected.getNumBytes()), 0);
}

} // namespace ssmq::testing

#endif // SSMQ_TEST_UNIT_KERNELS_KERNELTESTUTILS_H
