//===- MoveDim.cpp - Channels first and back ------------------------------===//

#include "ssmq/Reference/MoveDim.h"

#include <algorithm>

using ::ssmq::DType;
using ::ssmq::Tensor;

Tensor mlir::ssm::moveDim(const Tensor &value, unsigned from, unsigned to) {
  if (from == to)
    return value;
  ::ssmq::Shape shape(value.getShape());
  int64_t moved = shape[from];
  shape.erase(shape.begin() + from);
  shape.insert(shape.begin() + to, moved);
  // One of both is 0: [outer, moved, inner] <-> [moved, outer, inner].
  unsigned split = std::max(from, to);
  int64_t outer = 1, inner = 1;
  for (unsigned i = 0; i < value.getRank(); ++i)
    (i <= split ? outer : inner) *= shape[i];
  outer /= moved;
  Tensor result = Tensor::empty(DType::F32, shape);
  const float *source = value.data<float>().data();
  float *target = result.mutableData<float>().data();
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t j = 0; j < moved; ++j) {
      int64_t channelsInside = (i * moved + j) * inner, channelsFirst = (j * outer + i) * inner;
      std::copy_n(source + (to == 0 ? channelsInside : channelsFirst), inner,
                  target + (to == 0 ? channelsFirst : channelsInside));
    }
  return result;
}
