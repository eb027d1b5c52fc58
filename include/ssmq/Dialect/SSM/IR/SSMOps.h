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
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Interfaces/QuantizableOpInterface.h"
#include "ssmq/Interfaces/StatefulOpInterface.h"

#define GET_OP_CLASSES
#include "ssmq/Dialect/SSM/IR/SSMOps.h.inc"

#endif // SSMQ_DIALECT_SSM_IR_SSMOPS_H
