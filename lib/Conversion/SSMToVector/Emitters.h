//===- Emitters.h - The bodies of kernels -----------------------*- C++ -*-===//
//
// emit(builder, op, results) writes the kernel of one op at the builder's insertion point. `op`
// gives attributes and, as operands, buffers (memrefs); `results` are the buffers of the results
// that are no states. States are updated in the buffers of their operands.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_EMITTERS_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_EMITTERS_H

#include "KernelBuilder.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"

namespace mlir::ssm {

void emit(KernelBuilder &k, AttentionOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, CausalConv1dOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, DiagonalScanOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, EmbeddingOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, FakeQuantizeOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, IntegerDiagonalScanOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, IntegerLinearOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, LayerNormOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, LinearOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, QuantizeOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, RMSNormOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, RotaryOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, SelectiveScanOp::Adaptor op, ValueRange results);
void emit(KernelBuilder &k, SSDScanOp::Adaptor op, ValueRange results);

/// Whether the kernel of `op` rounds, token by token, a state that is not stored in its format.
bool roundsItsState(Operation *op);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_EMITTERS_H
