//===- Emitters.h - The kernels of ops --------------------------*- C++ -*-===//
//
// getGrid says how many work-groups share an op, emitRoot writes the code of one of them. emitRow
// writes the code of a work-group that computes one row (token) of an op by itself: the root of a
// launch, or a prologue of others.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_EMITTERS_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_EMITTERS_H

#include "LaunchScope.h"

namespace mlir::ssm {

/// Which work-group this is: one of Grid::groups, for the tokens from `token` on.
struct GroupIndex {
  Value group;
  Value token;
};

/// Nullopt for ops that have no kernel.
std::optional<Grid> getGrid(Operation *op);
void emitRoot(LaunchScope &scope, Operation *op, GroupIndex at);
/// Whether emitRow knows the op.
bool isRowOp(Operation *op);
void emitRow(LaunchScope &scope, Operation *op, Value token);

// One emitter each.
Grid getLinearGrid(LinearOp op);
void emitLinear(LaunchScope &scope, LinearOp op, GroupIndex at);
Grid getTiledLinearGrid(LinearOp op);
void emitTiledLinear(LaunchScope &scope, LinearOp op, GroupIndex at);
Grid getMatrixLinearGrid(LinearOp op);
void emitMatrixLinear(LaunchScope &scope, LinearOp op, GroupIndex at);
Grid getBlockLinearGrid(LinearOp op);
void emitBlockLinear(LaunchScope &scope, LinearOp op, GroupIndex at);
Grid getRowBlockGrid(LinearOp op);
void emitRowBlock(LaunchScope &scope, LinearOp op, GroupIndex at);
Grid getIntegerLinearGrid(IntegerLinearOp op);
void emitIntegerLinear(LaunchScope &scope, IntegerLinearOp op, GroupIndex at);
Grid getIntegerMatrixGrid(IntegerLinearOp op);
void emitIntegerMatrix(LaunchScope &scope, IntegerLinearOp op, GroupIndex at);
Grid getIntegerBlockGrid(IntegerLinearOp op);
void emitIntegerBlock(LaunchScope &scope, IntegerLinearOp op, GroupIndex at);
void emitEmbedding(LaunchScope &scope, EmbeddingOp op, Value token);
void emitNorm(LaunchScope &scope, RMSNormOp op, Value token);
void emitNorm(LaunchScope &scope, LayerNormOp op, Value token);
Grid getConvGrid(CausalConv1dOp op);
void emitConv(LaunchScope &scope, CausalConv1dOp op, GroupIndex at);
Grid getSSDScanGrid(SSDScanOp op);
void emitSSDScan(LaunchScope &scope, SSDScanOp op, GroupIndex at);
/// Tokens of a chunk of the scan by dpas; prompts of less take the recurrence.
constexpr int64_t kSSDChunk = 32;
/// Work-groups of the scan by dpas; 0 for shapes that do not suit it.
int64_t countSSDChunkGroups(SSDScanOp op);
void emitSSDChunks(LaunchScope &scope, SSDScanOp op, Value group);
/// Whether the kernel rounds the state behind each token.
bool roundsStateInLanes(DiagonalScanOp op);
Grid getDiagonalScanGrid(DiagonalScanOp op);
void emitDiagonalScan(LaunchScope &scope, DiagonalScanOp op, GroupIndex at);
Grid getSelectiveScanGrid(SelectiveScanOp op);
void emitSelectiveScan(LaunchScope &scope, SelectiveScanOp op, GroupIndex at);
Grid getAttentionGrid(AttentionOp op);
void emitAttention(LaunchScope &scope, AttentionOp op, GroupIndex at);
/// By blocks of tokens; nullopt for heads that do not suit dpas.
std::optional<Grid> getAttentionBlocksGrid(AttentionOp op);
void emitAttentionBlocks(LaunchScope &scope, AttentionOp op, GroupIndex at);
void emitRotary(LaunchScope &scope, RotaryOp op, Value token);
Grid getFakeQuantizeGrid(FakeQuantizeOp op);
void emitFakeQuantize(LaunchScope &scope, FakeQuantizeOp op, Value token);
void emitQuantize(LaunchScope &scope, QuantizeOp op, Value token);
Grid getElementwiseGrid(linalg::GenericOp op);
void emitElementwise(LaunchScope &scope, linalg::GenericOp op, GroupIndex at);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_EMITTERS_H
