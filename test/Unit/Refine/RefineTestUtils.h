//===- RefineTestUtils.h - Seeded weights and inputs ------------*- C++ -*-===//

#ifndef SSMQ_TEST_UNIT_REFINE_REFINETESTUTILS_H
#define SSMQ_TEST_UNIT_REFINE_REFINETESTUTILS_H

#include "ssmq/Refine/Hessian.h"
#include <random>

namespace ssmq::test {

inline Tensor makeNormal(llvm::ArrayRef<int64_t> shape, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Tensor result = Tensor::empty(DType::F32, shape);
  for (float &value : result.mutableData<float>())
    value = normal(generator);
  return result;
}

/// Inputs whose channels depend on each other and differ in size, as those of real layers do.
inline Tensor makeInputs(int64_t tokens, int64_t columns, unsigned seed) {
  Tensor result = makeNormal({tokens, columns}, seed);
  auto values = result.mutableData<float>();
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t i = 1; i < columns; ++i)
      values[t * columns + i] =
          0.9F * values[t * columns + i - 1] + (i % 7 == 0 ? 2.0F : 0.3F) * values[t * columns + i];
  return result;
}

inline Hessian makeHessian(const Tensor &inputs, unsigned threads = 1) {
  Hessian hessian(inputs.getDim(1));
  hessian.add(inputs, threads);
  return hessian;
}

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_REFINE_REFINETESTUTILS_H
