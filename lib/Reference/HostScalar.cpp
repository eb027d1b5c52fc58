//===- HostScalar.cpp - Scalars of host tensors ---------------------------===//

#include "HostScalar.h"

#include "ssmq/Dialect/SSM/Utils/ElementType.h"

using namespace mlir;
using ::ssmq::DType;
using ::ssmq::Tensor;

std::optional<DType> mlir::ssm::getHostType(Type type) {
  if (type.isIndex())
    return DType::I64;
  if (type.isSignlessInteger(1))
    return DType::Bool;
  return type.isF64() ? std::nullopt : ::ssmq::getElementType(type);
}

float mlir::ssm::getFloat(const Tensor &tensor, int64_t i) {
  return tensor.getDType() == DType::F32 ? tensor.data<float>()[i]
                                         : static_cast<float>(getInteger(tensor, i));
}

int64_t mlir::ssm::getInteger(const Tensor &tensor, int64_t i) {
  switch (tensor.getDType()) {
  case DType::I64: return tensor.data<int64_t>()[i];
  case DType::I32: return tensor.data<int32_t>()[i];
  case DType::I16: return tensor.data<int16_t>()[i];
  case DType::I8: return tensor.data<int8_t>()[i];
  case DType::U8:
  case DType::Bool: return tensor.data<uint8_t>()[i];
  default: return 0;
  }
}
