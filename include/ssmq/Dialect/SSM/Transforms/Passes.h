//===- Passes.h - Passes towards compiled programs --------------*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_TRANSFORMS_PASSES_H
#define SSMQ_DIALECT_SSM_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::func {
class FuncOp;
}

namespace mlir::ssm {

#define GEN_PASS_DECL
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_TRANSFORMS_PASSES_H
