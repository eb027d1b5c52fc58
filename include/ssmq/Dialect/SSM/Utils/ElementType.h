//===- ElementType.h - Element types in the IR and on the host --*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_UTILS_ELEMENTTYPE_H
#define SSMQ_DIALECT_SSM_UTILS_ELEMENTTYPE_H

#include "mlir/IR/Types.h"
#include "ssmq/Support/Tensor.h"

namespace ssmq {

/// The host's type of f16, bf16, f32, f64 and of signless integers of 8 to 64 bits; nullopt for
/// others.
std::optional<DType> getElementType(mlir::Type type);

} // namespace ssmq

#endif // SSMQ_DIALECT_SSM_UTILS_ELEMENTTYPE_H
