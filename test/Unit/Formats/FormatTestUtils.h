//===- FormatTestUtils.h - Weights that are hard to quantize ----*- C++ -*-===//

#ifndef SSMQ_TEST_UNIT_FORMATS_FORMATTESTUTILS_H
#define SSMQ_TEST_UNIT_FORMATS_FORMATTESTUTILS_H

#include "ssmq/Formats/Format.h"
#include "ssmq/Support/HalfFloat.h"
#include <random>

namespace ssmq::test {

inline std::shared_ptr<const Format> getFormat(const std::string &spelling) {
  return llvm::cantFail(parseFormat(spelling));
}

/// Every width, with and without zero points, over whole rows and over runs that do and do not
/// divide them.
inline std::vector<std::string> getSpellings() {
  std::vector<std::string> spellings;
  for (int bits = 2; bits <= 8; ++bits)
    for (const char *symmetry : {" sym ", " asym "})
      for (const char *granularity : {"per_channel", "group=2", "group=7", "group=32"})
        spellings.push_back("i" + std::to_string(bits) + symmetry + granularity);
  return spellings;
}

/// Normal values; `kind` 1 adds an outlier a row, 2 makes all of one sign.
inline Tensor makeWeight(llvm::ArrayRef<int64_t> shape, unsigned seed, float scale, int kind = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  Tensor weight = Tensor::empty(DType::F32, shape);
  auto values = weight.mutableData<float>();
  for (float &value : values)
    value = kind == 2 ? std::abs(normal(random)) : normal(random);
  if (kind == 1)
    for (int64_t row = 0, columns = values.size() / shape[0]; row < shape[0]; ++row)
      values[row * columns + random() % columns] *= 50;
  return weight;
}

/// The scale of each value.
inline std::vector<float> getScales(const QuantizedTensor &quantized) {
  int64_t rows = quantized.scales.getDim(0), groups = quantized.scales.getDim(1);
  int64_t columns = quantized.codes.getNumElements() / rows;
  auto *scales = static_cast<const uint16_t *>(quantized.scales.getRawData());
  std::vector<float> result;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      result.push_back(halfToFloat(scales[row * groups + column / quantized.groupSize]));
  return result;
}

} // namespace ssmq::test

#endif // SSMQ_TEST_UNIT_FORMATS_FORMATTESTUTILS_H
