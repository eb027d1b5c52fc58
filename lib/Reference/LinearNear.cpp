//===- LinearNear.cpp - Linear layers near a known run --------------------===//

#include "LinearNear.h"

#include "ssmq/Kernels/ChangeGemm.h"
#include "ssmq/Kernels/Elementwise.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::BinaryOp;
using ::ssmq::ByteWeight;
using ::ssmq::ConstMatrix;
using ::ssmq::DType;
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

/// y += x changeᵀ. The roundings of a weight have no outliers, but nothing says that every change
/// is a rounding.
static void addWeightChange(const Tensor &input, const Tensor &change, Tensor &y,
                            const ::ssmq::KernelOptions &options) {
  int64_t m = input.getDim(0), n = change.getDim(0), k = change.getDim(1);
  float *ys = y.mutableData<float>().data();
  if (auto bytes = ByteWeight::create(asMatrix(change), n, k, options.threads))
    return addProduct({ys, n}, asMatrix(input), *bytes, {ys, n}, m, options.threads);
  Tensor product = Tensor::empty(DType::F32, y.getShape());
  gemmTransposed(asMatrix(input), asMatrix(change), {product.mutableData<float>().data(), n},
                 {m, n, k}, options.threads);
  applyBinary(BinaryOp::Add, y.data<float>(), product.data<float>(), y.mutableData<float>(),
              options);
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
    Tensor change = applyBinary(BinaryOp::Sub, input, known.input, options);
    const auto &bytes = *static_cast<const PreparedLinear &>(prepared).weight;
    y = Tensor::empty(DType::F32, known.result.getShape());
    addProduct(asMatrix(known.result), asMatrix(change), bytes, {y.mutableData<float>().data(), n},
               m, options.threads);
  }
  if (!isSame(weight, known.weight))
    addWeightChange(input, applyBinary(BinaryOp::Sub, weight, known.weight, options), y, options);
  return y;
}
