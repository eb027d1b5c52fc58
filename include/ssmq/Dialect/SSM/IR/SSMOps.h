//===- SSMOps.h - Ops of the ssm dialect ------------------------*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_IR_SSMOPS_H
#define SSMQ_DIALECT_SSM_IR_SSMOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/IR/TokenWise.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "ssmq/Interfaces/StatefulOpInterface.h"

namespace mlir::ssm {

/// The state that the op rounds itself (its site with `insideOp`), for one token where rows are
/// tokens.
::ssmq::ValueLayout getStateLayout(QuantizableOpInterface op);

} // namespace mlir::ssm

#define GET_OP_CLASSES
#include "ssmq/Dialect/SSM/IR/SSMOps.h.inc"

#endif // SSMQ_DIALECT_SSM_IR_SSMOPS_H
