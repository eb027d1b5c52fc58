//===- Embedding.cpp - Rows of a table ------------------------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ssm;

void ssm::emitEmbedding(LaunchScope &scope, EmbeddingOp op, Value token) {
  XeBuilder &k = scope.k;
  Value id = scope.load(op.getIds(), token);
  Value row = arith::IndexCastOp::create(k, k.getIndexType(), id);
  int64_t columns = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  k.overColumns(columns, [&](Value column) {
    scope.store(op.getResult(), {token, column}, scope.load(op.getWeight(), {row, column}));
  });
}
