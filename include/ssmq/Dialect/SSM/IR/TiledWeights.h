//===- TiledWeights.h - Ops with weights in tiles ---------------*- C++ -*-===//

#ifndef SSMQ_DIALECT_SSM_IR_TILEDWEIGHTS_H
#define SSMQ_DIALECT_SSM_IR_TILEDWEIGHTS_H

#include "ssmq/Formats/Tiling.h"

namespace mlir {
class Operation;
}

namespace mlir::ssm {

class EmbeddingOp;

/// The layout of the weight that a linear layer or an embedding reads in tiles; nullopt for a
/// weight that is not in tiles, and for any other op.
std::optional<::ssmq::TileLayout> getTileLayout(Operation *op);

/// Of the table: ids of tokens are below it.
int64_t getNumRows(EmbeddingOp op);

} // namespace mlir::ssm

#endif // SSMQ_DIALECT_SSM_IR_TILEDWEIGHTS_H
