//===- HostScalar.cpp - Scalars of host tensors ---------------------------===//

#include "HostScalar.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using ::ssmq::DType;
using ::ssmq::Tensor;

std::optional<DType> mlir::ssm::getHostType(Type type) {
  if (type.isF32())
    return DType::F32;
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  if (type.isIndex() || type.isSignlessInteger(64))
    return DType::I64;
  if (type.isSignlessInteger(32))
    return DType::I32;
  if (type.isSignlessInteger(16))
    return DType::I16;
  if (type.isSignlessInteger(8))
    return DType::I8;
  if (type.isSignlessInteger(1))
    return DType::Bool;
  return std::nullopt;
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
