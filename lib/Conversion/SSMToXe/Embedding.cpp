//===- Embedding.cpp - Rows of a table ------------------------------------===//

#include "Emitters.h"
#include "WeightNumbers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

void ssm::emitEmbedding(LaunchScope &scope, EmbeddingOp op, Value token) {
  XeBuilder &k = scope.k;
  WeightNumbers table(scope, op);
  Value id = arith::IndexCastOp::create(k, k.getIndexType(), scope.load(op.getIds(), token));
  // Callers check ids. One that is outside all the same must not read past the table: it gives
  // NaN. As unsigned numbers, negative ids are large.
  Value isInside = arith::CmpIOp::create(k, arith::CmpIPredicate::ult, id, k.index(getNumRows(op)));
  Value row = arith::SelectOp::create(k, isInside, id, k.index(0));
  int64_t columns = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  k.overColumns(columns, [&](Value column) {
    Value number =
        arith::SelectOp::create(k, isInside, table.load(row, column), k.f32(std::nanf("")));
    scope.store(op.getResult(), {token, column}, number);
  });
}
