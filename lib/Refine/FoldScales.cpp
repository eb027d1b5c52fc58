//===- FoldScales.cpp - Moves the size of channels into weights -----------===//

#include "ssmq/Refine/FoldScales.h"

#include "ssmq/Refine/Hessian.h"
#include "ssmq/Refine/Refine.h"
#include <algorithm>
#include <cmath>

using namespace llvm;

namespace ssmq {

Tensor scaleColumns(const Tensor &weight, ArrayRef<float> factors) {
  Tensor result = weight.toF32().clone();
  MutableArrayRef<float> values = result.mutableData<float>();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] *= factors[i % factors.size()];
  return result;
}

Tensor divideRows(const Tensor &weight, ArrayRef<float> divisors, int64_t first) {
  Tensor result = weight.toF32().clone();
  int64_t columns = result.getNumElements() / result.getDim(0);
  float *values = result.mutableData<float>().data() + first * columns;
  for (size_t row = 0; row < divisors.size(); ++row)
    for (int64_t i = 0; i < columns; ++i)
      values[row * columns + i] /= divisors[row];
  return result;
}

/// Powers of the magnitudes, divided by the geometric mean of the least and the largest.
static std::vector<float> makeScales(ArrayRef<double> magnitudes, double alpha) {
  double least = HUGE_VAL, most = 0;
  for (double magnitude : magnitudes)
    if (magnitude > 0) {
      least = std::min(least, magnitude);
      most = std::max(most, magnitude);
    }
  // Channels that no token uses stay as they are; others are kept within a factor that a float
  // weight bears.
  constexpr double kLargest = 1e4;
  std::vector<float> scales;
  for (double magnitude : magnitudes) {
    double scale = std::pow(magnitude / std::sqrt(least * most), alpha);
    scale = std::clamp(scale, 1 / kLargest, kLargest);
    scales.push_back(magnitude > 0 ? static_cast<float>(scale) : 1.0F);
  }
  return scales;
}

static Expected<Tensor> roundWeight(const Format &format, const Tensor &weight, unsigned threads) {
  if (!format.hasCodes())
    return fakeQuantize(format, weight, threads);
  GPTQOptions options;
  options.threads = threads;
  Expected<QuantizedTensor> rounded =
      refineWeight(format, weight, RefineMethod::MSE, nullptr, options);
  if (!rounded)
    return rounded.takeError();
  return dequantize(*rounded);
}

/// The error of the outputs of all layers, whose columns are scaled.
static Expected<double> measureFold(ArrayRef<FoldedLayer> layers, ArrayRef<float> scales,
                                    const Hessian &hessian, unsigned threads) {
  double sum = 0;
  std::vector<float> inverse;
  for (float scale : scales)
    inverse.push_back(1 / scale);
  for (const FoldedLayer &layer : layers) {
    Tensor weight = scales.empty() ? layer.weight : scaleColumns(layer.weight, scales);
    Expected<Tensor> rounded = roundWeight(*layer.format, weight, threads);
    if (!rounded)
      return rounded.takeError();
    if (!scales.empty())
      *rounded = scaleColumns(*rounded, inverse);
    sum += measureOutputError(layer.weight, *rounded, hessian, threads);
  }
  return sum;
}

Expected<FoldResult> searchFold(ArrayRef<FoldedLayer> layers, ArrayRef<double> magnitudes,
                                const Hessian &hessian, unsigned gridSize, unsigned threads) {
  FoldResult result;
  Expected<double> before = measureFold(layers, {}, hessian, threads);
  if (!before)
    return before.takeError();
  double whole = 0;
  for (const FoldedLayer &layer : layers)
    whole += measureOutputError(layer.weight, Tensor::zeros(DType::F32, layer.weight.getShape()),
                                hessian, threads);
  double best = *before;
  if (llvm::any_of(magnitudes, [](double magnitude) { return magnitude > 0; }))
    for (unsigned i = 1; i <= gridSize; ++i) {
      double alpha = static_cast<double>(i) / gridSize;
      std::vector<float> scales = makeScales(magnitudes, alpha);
      Expected<double> error = measureFold(layers, scales, hessian, threads);
      if (!error)
        return error.takeError();
      if (!(*error < best))
        continue;
      best = *error;
      result.alpha = alpha;
      result.scales = std::move(scales);
    }
  if (whole > 0) {
    result.errorBefore = *before / whole;
    result.errorAfter = best / whole;
  }
  return result;
}

} // namespace ssmq
