//===- LinearNear.cpp - Linear layers near a known run --------------------===//

#include "LinearNear.h"

#include "ssmq/Kernels/ChangeGemm.h"
#include "ssmq/Support/Parallel.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::ByteWeight;
using ::ssmq::ConstMatrix;
using ::ssmq::DType;
using ::ssmq::MutableMatrix;
using ::ssmq::Tensor;

namespace {
struct PreparedLinear : PreparedOperands {
  explicit PreparedLinear(std::unique_ptr<ByteWeight> weight) : weight(std::move(weight)) {}
  std::unique_ptr<ByteWeight> weight;
};
} // namespace

static ConstMatrix asMatrix(const Tensor &tensor) {
  return {tensor.data<float>().data(), tensor.getDim(1)};
}

static bool isMatrix(const Tensor &tensor) {
  return tensor && tensor.getDType() == DType::F32 && tensor.getRank() == 2;
}

std::shared_ptr<const PreparedOperands> mlir::ssm::prepareLinear(const Tensor &weight) {
  if (!isMatrix(weight))
    return nullptr;
  auto bytes = ByteWeight::create(asMatrix(weight), weight.getDim(0), weight.getDim(1));
  return bytes ? std::make_shared<PreparedLinear>(std::move(bytes)) : nullptr;
}

static Tensor subtract(const Tensor &a, const Tensor &b, unsigned threads) {
  Tensor result = Tensor::empty(DType::F32, a.getShape());
  const float *as = a.data<float>().data(), *bs = b.data<float>().data();
  float *to = result.mutableData<float>().data();
  ::ssmq::parallelFor(threads, a.getNumElements(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      to[i] = as[i] - bs[i];
  });
  return result;
}

/// y += x changeᵀ. The roundings of a weight have no outliers, but nothing says that every change
/// is a rounding.
static void addWeightChange(const Tensor &input, const Tensor &change, Tensor &y,
                            unsigned threads) {
  int64_t m = input.getDim(0), n = change.getDim(0), k = change.getDim(1);
  float *ys = y.mutableData<float>().data();
  if (auto bytes = ByteWeight::create(asMatrix(change), n, k, threads))
    return addProduct({ys, n}, asMatrix(input), *bytes, {ys, n}, m, threads);
  Tensor product = Tensor::empty(DType::F32, y.getShape());
  gemmTransposed(asMatrix(input), asMatrix(change), {product.mutableData<float>().data(), n},
                 {m, n, k}, threads);
  for (auto [to, from] : llvm::zip_equal(y.mutableData<float>(), product.data<float>()))
    to += from;
}

Tensor mlir::ssm::linearNear(const Tensor &input, const Tensor &weight, const LinearChange &known,
                             const PreparedOperands &prepared,
                             const ::ssmq::KernelOptions &options) {
  if (!isMatrix(input) || !isMatrix(weight) || input.getShape() != known.input.getShape() ||
      weight.getShape() != known.weight.getShape())
    return Tensor();
  int64_t m = input.getDim(0), n = weight.getDim(0);
  Tensor y;
  if (isSame(input, known.input)) {
    y = known.result.clone();
  } else {
    Tensor change = subtract(input, known.input, options.threads);
    const auto &bytes = *static_cast<const PreparedLinear &>(prepared).weight;
    y = Tensor::empty(DType::F32, known.result.getShape());
    addProduct(asMatrix(known.result), asMatrix(change), bytes, {y.mutableData<float>().data(), n},
               m, options.threads);
  }
  if (!isSame(weight, known.weight))
    addWeightChange(input, subtract(weight, known.weight, options.threads), y, options.threads);
  return y;
}
