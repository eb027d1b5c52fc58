//===- HostScalar.h - Scalars of host tensors -------------------*- C++ -*-===//

#ifndef SSMQ_REFERENCE_HOSTSCALAR_H
#define SSMQ_REFERENCE_HOSTSCALAR_H

#include "mlir/IR/Types.h"
#include "ssmq/Support/Tensor.h"

namespace mlir::ssm {

/// How values of an element type lie in memory; the interpreter holds f16 and bf16 as f32. Nullopt
/// for a type that it does not know.
std::optional<::ssmq::DType> getHostType(Type type);

/// Scalar `i` of a tensor of f32 or integers.
float getFloat(const ::ssmq::Tensor &tensor, int64_t i);
int64_t getInteger(const ::ssmq::Tensor &tensor, int64_t i);

} // namespace mlir::ssm

#endif // SSMQ_REFERENCE_HOSTSCALAR_H
