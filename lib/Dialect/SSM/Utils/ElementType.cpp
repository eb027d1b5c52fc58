//===- ElementType.cpp - Element types in the IR and on the host ----------===//

#include "ssmq/Dialect/SSM/Utils/ElementType.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace ssmq;

std::optional<DType> ssmq::getElementType(mlir::Type type) {
  if (type.isF32())
    return DType::F32;
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  if (type.isF64())
    return DType::F64;
  if (type.isSignlessInteger(32))
    return DType::I32;
  if (type.isSignlessInteger(64))
    return DType::I64;
  if (type.isSignlessInteger(16))
    return DType::I16;
  if (type.isSignlessInteger(8))
    return DType::I8;
  return std::nullopt;
}
