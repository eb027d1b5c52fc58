//===- SSMDialect.h - The ssm dialect ---------------------------*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_IR_SSMDIALECT_H
#define SSMQ_DIALECT_SSM_IR_SSMDIALECT_H

#include "mlir/IR/Dialect.h"
#include <memory>

namespace ssmq {
class Format;
}

#include "ssmq/Dialect/SSM/IR/SSMDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "ssmq/Dialect/SSM/IR/SSMAttrs.h.inc"

#endif // SSMQ_DIALECT_SSM_IR_SSMDIALECT_H
