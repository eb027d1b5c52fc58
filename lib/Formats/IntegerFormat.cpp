//===- IntegerFormat.cpp - Uniform integers with f16 scales ---------------===//

#include "ssmq/Formats/IntegerFormat.h"

#include "ssmq/Support/HalfFloat.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/Support/FormatVariadic.h"
#include <atomic>
#include <cmath>

using namespace llvm;

namespace ssmq {

/// The smallest f16 that is not below `value` >= 0; infinity past the largest.
static uint16_t roundUpToHalf(float value) {
  uint16_t bits = floatToHalf(value);
  return halfToFloat(bits) < value ? bits + 1 : bits;
}

namespace {
struct Range {
  float low = 0, high = 0;
};
} // namespace

/// The least range that holds zero and all values; NaN in both ends when a value is not finite.
static Range findRange(ArrayRef<float> values) {
  Range range;
  float notFinite = 0;
  for (float x : values) {
    range.low = std::min(range.low, x);
    range.high = std::max(range.high, x);
    notFinite += 0 * x; // zero for every finite value, NaN otherwise
  }
  range.low += notFinite;
  range.high += notFinite;
  return range;
}

std::string IntegerFormat::getSpelling() const {
  std::string granularity =
      groupSize ? formatv("group={0}", groupSize).str() : std::string("per_channel");
  return formatv("i{0} {1} {2}", bits, symmetric ? "sym" : "asym", granularity);
}

int64_t IntegerFormat::getGroupSize(int64_t columns) const {
  return groupSize ? std::min(groupSize, columns) : columns;
}

Expected<QuantizedTensor> IntegerFormat::quantize(const Tensor &weight, unsigned threads) const {
  Tensor values = weight.toF32();
  int64_t rows = values.getRank() ? values.getDim(0) : 1;
  int64_t columns = rows ? values.getNumElements() / rows : 0;
  int64_t group = getGroupSize(columns);
  int64_t groups = group ? (columns + group - 1) / group : 0;

  QuantizedTensor result;
  result.groupSize = group;
  result.codes = Tensor::empty(DType::I8, values.getShape());
  result.scales = Tensor::empty(DType::F16, {rows, groups});
  if (!symmetric)
    result.zeroPoints = Tensor::empty(DType::I8, {rows, groups});
  auto *scales = static_cast<uint16_t *>(result.scales.getMutableRawData());
  auto *zeros = symmetric ? nullptr : result.zeroPoints.mutableData<int8_t>().data();
  int8_t *codes = result.codes.mutableData<int8_t>().data();
  const float *data = values.data<float>().data();

  const float highest = static_cast<float>((1 << (bits - 1)) - 1);
  const float lowest = symmetric ? -highest : -highest - 1;
  std::atomic<bool> notFinite{false}, tooLarge{false};
  parallelFor(threads, rows, [&](int64_t firstRow, int64_t endRow) {
    for (int64_t run = firstRow * groups; run < endRow * groups; ++run) {
      int64_t begin = run / groups * columns + run % groups * group;
      int64_t size = std::min(group, columns - run % groups * group);
      Range range = findRange({data + begin, static_cast<size_t>(size)});
      if (!std::isfinite(range.high - range.low)) {
        // The difference of two finite floats may overflow as well: too large either way.
        (std::isfinite(range.high) && std::isfinite(range.low) ? tooLarge : notFinite) = true;
        return;
      }
      float step = symmetric ? std::max(range.high, -range.low) / highest
                             : (range.high - range.low) / (highest - lowest);
      scales[run] = roundUpToHalf(step);
      float scale = halfToFloat(scales[run]);
      if (!std::isfinite(scale)) {
        tooLarge = true;
        return;
      }
      float zero = 0;
      if (!symmetric) {
        zero = scale ? std::nearbyint(-range.low / scale) + lowest : 0;
        zeros[run] = static_cast<int8_t>(zero);
      }
      float divisor = scale ? scale : 1; // every value of the run is zero
      for (int64_t i = begin; i < begin + size; ++i) {
        float code = std::nearbyint(data[i] / divisor) + zero;
        codes[i] = static_cast<int8_t>(std::max(lowest, std::min(highest, code)));
      }
    }
  });
  if (notFinite)
    return createStringError("the weight holds a value that is not finite (NaN or infinity)");
  if (tooLarge)
    return createStringError("the weight holds values too large for f16 scales in format '" +
                             getSpelling() + "'; use more bits or keep it as it is");
  return result;
}

} // namespace ssmq
