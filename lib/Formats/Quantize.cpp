//===- Quantize.cpp - Weights in codes and back ---------------------------===//

#include "IntegerNumerics.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Support/HalfFloat.h"
#include "ssmq/Support/Parallel.h"
#include <atomic>

using namespace llvm;

namespace ssmq {

bool Format::hasCodes() const {
  const IntegerNumerics *integer = numerics->getInteger();
  return integer && integer->getBits() <= 8 && !needsRanges() &&
         (sharing.kind == Sharing::PerChannel || sharing.kind == Sharing::Group);
}

unsigned Format::getCodeBits() const { return numerics->getInteger()->getBits(); }

Expected<QuantizedTensor> Format::quantize(const Tensor &weight, unsigned threads) const {
  if (!hasCodes())
    return createStringError("format '" + getSpelling() +
                             "' can be measured, but weights cannot be stored in it yet; use an "
                             "integer of 2 to 8 bits per_channel or in groups");
  const IntegerNumerics &integer = *numerics->getInteger();
  Tensor values = weight.toF32();
  ValueLayout layout = ValueLayout::ofWeight(values.getShape());
  Expected<Runs> runs = getRuns(layout);
  if (!runs)
    return runs.takeError();

  int64_t groups = runs->getRunsPerUnit();
  QuantizedTensor result;
  result.groupSize = runs->runSize;
  result.codes = Tensor::empty(DType::I8, values.getShape());
  result.scales = Tensor::empty(DType::F16, {layout.rows, groups});
  if (integer.hasZeroPoints())
    result.zeroPoints = Tensor::empty(DType::I8, {layout.rows, groups});
  auto *scales = static_cast<uint16_t *>(result.scales.getMutableRawData());
  auto *zeros = result.zeroPoints ? result.zeroPoints.mutableData<int8_t>().data() : nullptr;
  int8_t *codes = result.codes.mutableData<int8_t>().data();

  std::atomic<bool> failed{false};
  parallelFor(threads, layout.rows, [&](int64_t firstRow, int64_t endRow) {
    for (int64_t run = firstRow * groups; run < endRow * groups; ++run) {
      int64_t begin = run % groups * runs->runSize;
      int64_t size = std::min(runs->runSize, layout.columns - begin);
      begin += run / groups * layout.columns;
      ArrayRef<float> slice = values.data<float>().slice(begin, size);
      RunGrid grid;
      if (integer.fit(integer.findRange(slice), grid) != RunFault::None) {
        failed = true;
        return;
      }
      scales[run] = floatToHalf(grid.scale);
      int8_t zero = integer.encodeBytes(slice, grid, codes + begin);
      if (zeros)
        zeros[run] = zero;
    }
  });
  if (failed)
    return round(weight, layout, nullptr, threads).takeError(); // the same fault, in words
  return result;
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

} // namespace ssmq
