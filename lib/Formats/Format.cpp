//===- Format.cpp - What all formats share --------------------------------===//

#include "ssmq/Formats/Format.h"

#include "ssmq/Formats/Packing.h"

using namespace llvm;

namespace ssmq {

Format::~Format() = default;

int64_t Format::getNumBytes(int64_t rows, int64_t columns) const {
  int64_t groupSize = getGroupSize(columns);
  int64_t groups = groupSize ? (columns + groupSize - 1) / groupSize : 0;
  int64_t bytesPerGroup = sizeof(uint16_t) + (hasZeroPoints() ? sizeof(int8_t) : 0);
  return rows * (getPackedRowBytes(columns, getCodeBits()) + groups * bytesPerGroup);
}

Tensor dequantize(const QuantizedTensor &quantized) {
  Tensor result = Tensor::empty(DType::F32, quantized.codes.getShape());
  if (result.getNumElements() == 0)
    return result;
  int64_t rows = quantized.scales.getDim(0), groups = quantized.scales.getDim(1);
  int64_t columns = result.getNumElements() / rows;
  Tensor scaleValues = quantized.scales.toF32();
  const float *scales = scaleValues.data<float>().data();
  const int8_t *codes = quantized.codes.data<int8_t>().data();
  float *values = result.mutableData<float>().data();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t group = 0; group < groups; ++group) {
      float scale = scales[row * groups + group];
      int zero =
          quantized.zeroPoints ? quantized.zeroPoints.data<int8_t>()[row * groups + group] : 0;
      int64_t begin = row * columns + group * quantized.groupSize;
      int64_t end = row * columns + std::min(columns, (group + 1) * quantized.groupSize);
      for (int64_t i = begin; i < end; ++i)
        values[i] = static_cast<float>(codes[i] - zero) * scale;
    }
  }
  return result;
}

Expected<Tensor> fakeQuantize(const Format &format, const Tensor &weight, unsigned threads) {
  Expected<QuantizedTensor> quantized = format.quantize(weight, threads);
  if (!quantized)
    return quantized.takeError();
  return dequantize(*quantized);
}

} // namespace ssmq
