//===- ConstantModel.cpp - Evaluation of arith.constant -------------------===//
//
// Constants of other compilers hold weights: those whose bytes lie in the module as they lie in a
// host tensor (resources, and dense values that are no splat) are borrowed, not copied.
//
//===----------------------------------------------------------------------===//

#include "HostScalar.h"
#include "Models.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include <cstring>

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::DType;
using ::ssmq::Tensor;
using Results = FailureOr<SmallVector<Tensor>>;

/// Floats are held as f32.
static Tensor widen(const Tensor &tensor) {
  bool isNarrow = tensor.getDType() == DType::F16 || tensor.getDType() == DType::BF16;
  return isNarrow ? tensor.toF32() : tensor;
}

/// Null when the bytes are not what the type needs.
static Tensor borrow(ShapedType type, DType dtype, ArrayRef<char> bytes) {
  std::optional<int64_t> expected = ::ssmq::getCheckedNumBytes(dtype, type.getShape());
  if (!expected || *expected != static_cast<int64_t>(bytes.size()))
    return Tensor();
  int64_t width = ::ssmq::getBitWidth(dtype) / 8;
  if (bytes.empty() || reinterpret_cast<uintptr_t>(bytes.data()) % width != 0) {
    Tensor copy = Tensor::empty(dtype, type.getShape());
    llvm::copy(bytes, static_cast<char *>(copy.getMutableRawData()));
    return widen(copy);
  }
  // The module owns the bytes and outlives the interpreter.
  return widen(Tensor::borrow(dtype, type.getShape(), bytes.data(), nullptr));
}

static int64_t getScalarBits(Attribute scalar) {
  if (auto value = dyn_cast<FloatAttr>(scalar))
    return value.getValue().bitcastToAPInt().getSExtValue();
  return cast<IntegerAttr>(scalar).getValue().getSExtValue();
}

static Tensor splat(DType dtype, ArrayRef<int64_t> shape, Attribute scalar) {
  if (!::ssmq::getCheckedNumBytes(dtype, shape))
    return Tensor();
  Tensor result = Tensor::empty(dtype, shape);
  int64_t bits = getScalarBits(scalar), width = ::ssmq::getBitWidth(dtype) / 8;
  if (dtype == DType::Bool)
    bits &= 1;
  char *to = static_cast<char *>(result.getMutableRawData());
  for (int64_t i = 0; i < result.getNumElements(); ++i, to += width)
    std::memcpy(to, &bits, width);
  return widen(result);
}

/// Bits, which the attribute packs.
static Tensor unpackBits(DenseElementsAttr elements) {
  Tensor result = Tensor::empty(DType::Bool, elements.getType().getShape());
  llvm::copy(elements.getValues<bool>(), result.mutableData<uint8_t>().begin());
  return result;
}

namespace {

struct ConstantModel : EvaluableOpInterface::ExternalModel<ConstantModel, arith::ConstantOp> {
  Results evaluate(Operation *op, ArrayRef<Tensor>, const EvaluationContext &) const {
    Attribute value = cast<arith::ConstantOp>(op).getValue();
    auto shaped = dyn_cast<ShapedType>(op->getResult(0).getType());
    Type element = shaped ? shaped.getElementType() : op->getResult(0).getType();
    std::optional<DType> dtype = getHostType(element);
    if (!dtype)
      return fail(op, "is of a type that the interpreter does not know");
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
      AsmResourceBlob *blob = resource.getRawHandle().getBlob();
      if (!blob)
        return fail(op, "reads the resource '" + resource.getRawHandle().getKey() +
                            "', which has no data; print the module without eliding resources");
      Tensor tensor = borrow(resource.getType(), *dtype, blob->getData());
      if (!tensor)
        return fail(op, "reads the resource '" + resource.getRawHandle().getKey() + "' of " +
                            Twine(blob->getData().size()) +
                            " bytes, which is not what its type needs");
      return SmallVector<Tensor>{tensor};
    }
    Tensor tensor;
    if (isa<FloatAttr, IntegerAttr>(value))
      tensor = splat(*dtype, {}, value);
    else if (auto elements = dyn_cast<DenseElementsAttr>(value))
      tensor = evaluateElements(elements, *dtype);
    if (!tensor)
      return fail(op, "has a value that the interpreter does not know");
    return SmallVector<Tensor>{tensor};
  }

private:
  static Results fail(Operation *op, const Twine &message) {
    op->emitOpError() << message;
    return failure();
  }
  static Tensor evaluateElements(DenseElementsAttr elements, DType dtype) {
    if (elements.isSplat())
      return splat(dtype, elements.getType().getShape(), elements.getSplatValue<Attribute>());
    if (dtype == DType::Bool)
      return unpackBits(elements);
    return borrow(elements.getType(), dtype, elements.getRawData());
  }
};

} // namespace

void mlir::ssm::attachConstantModel(MLIRContext *context) {
  arith::ConstantOp::attachInterface<ConstantModel>(*context);
}
