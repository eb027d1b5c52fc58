//===- Emitters.cpp - Which emitter an op has -----------------------------===//

#include "Emitters.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ssm;

bool ssm::isRowOp(Operation *op) { return isa<EmbeddingOp, RMSNormOp, LayerNormOp>(op); }

std::optional<Grid> ssm::getGrid(Operation *op) {
  if (isRowOp(op))
    return Grid{1, 1};
  return llvm::TypeSwitch<Operation *, std::optional<Grid>>(op)
      .Case([](LinearOp linear) { return getLinearGrid(linear); })
      .Case([](linalg::GenericOp generic) { return getElementwiseGrid(generic); })
      .Default([](Operation *) { return std::nullopt; });
}

void ssm::emitRow(LaunchScope &scope, Operation *op, Value token) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](EmbeddingOp embedding) { emitEmbedding(scope, embedding, token); })
      .Case<RMSNormOp, LayerNormOp>([&](auto norm) { emitNorm(scope, norm, token); });
}

void ssm::emitRoot(LaunchScope &scope, Operation *op, GroupIndex at) {
  if (isRowOp(op))
    return emitRow(scope, op, at.token);
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](LinearOp linear) { emitLinear(scope, linear, at); })
      .Case([&](linalg::GenericOp generic) { emitElementwise(scope, generic, at); });
}
