//===- Passes.h - Measure, assign, quantize ---------------------*- C++ -*-===//

#ifndef SSMQ_TRANSFORMS_PASSES_H
#define SSMQ_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::ssm {

#define GEN_PASS_DECL
#include "ssmq/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "ssmq/Transforms/Passes.h.inc"

} // namespace mlir::ssm

#endif // SSMQ_TRANSFORMS_PASSES_H
