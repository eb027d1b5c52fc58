//===- TokenWise.h - Ops that treat each token alone ------------*- C++ -*-===//
//
// A trait of ops whose first operand and results have a row a token, where row t of each result
// depends on row t of the first operand and on the other operands, but on no other row. The rows
// that nobody reads need not be computed.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_DIALECT_SSM_IR_TOKENWISE_H
#define SSMQ_DIALECT_SSM_IR_TOKENWISE_H

#include "mlir/IR/OpDefinition.h"

namespace mlir::ssm {

template <typename ConcreteType>
class TokenWise : public OpTrait::TraitBase<ConcreteType, TokenWise> {};

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_IR_TOKENWISE_H
