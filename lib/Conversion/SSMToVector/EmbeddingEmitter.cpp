//===- EmbeddingEmitter.cpp - Rows of a table by token id -----------------===//

#include "Emitters.h"
#include "WeightRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::ssm;

void mlir::ssm::emit(KernelBuilder &k, EmbeddingOp::Adaptor op, ValueRange results) {
  int64_t tableRows = cast<MemRefType>(op.getWeight().getType()).getDimSize(0);
  int64_t columns = cast<MemRefType>(results.front().getType()).getDimSize(1);
  WeightRows weight(k, op.getWeight(), op.getScales(), op.getZeroPoints(), op.getPackedBits(),
                    op.getGroupSize(), columns);
  k.loop(k.index(0), k.dim(op.getIds(), 0), 1, [&](Value t) {
    Value id = arith::IndexCastOp::create(
        k, k.getIndexType(), memref::LoadOp::create(k, op.getIds(), ValueRange{t}).getResult());
    // Callers check ids. One that is outside all the same must not read past the table: it gives
    // NaN. As unsigned numbers, negative ids are large.
    Value isInside = arith::CmpIOp::create(k, arith::CmpIPredicate::ult, id, k.index(tableRows));
    Value row = arith::SelectOp::create(k, isInside, id, k.index(0));
    Value factor = arith::SelectOp::create(k, isInside, k.f32(1.0f), k.f32(std::nanf("")));
    weight.overGroups(
        ValueRange(),
        [&](Value base, int64_t extent, Value group, ValueRange) -> KernelBuilder::Values {
          Value scale = factor, zeroPoint;
          if (weight.isQuantized()) {
            zeroPoint = weight.loadZeroPoint(row, group);
            scale = arith::MulFOp::create(k, factor, weight.loadScale(row, group));
          }
          return k.overColumns(
              base, extent, weight.getChunkColumns(), ValueRange(),
              [&](Value column, int64_t count, ValueRange) -> KernelBuilder::Values {
                Value values = weight.loadInOrder(row, column, count, zeroPoint);
                values = arith::MulFOp::create(k, values, k.splat(scale, count));
                k.store(values, results.front(), {t, column});
                return {};
              });
        });
  });
}
