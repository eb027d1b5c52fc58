//===- Passes.h - Estimates of programs -------------------------*- C++ -*-===//

#ifndef SSMQ_TARGET_XE2_PASSES_H
#define SSMQ_TARGET_XE2_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::ssm {

#define GEN_PASS_DECL
#include "ssmq/Target/Xe2/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "ssmq/Target/Xe2/Passes.h.inc"

} // namespace mlir::ssm

#endif // SSMQ_TARGET_XE2_PASSES_H
