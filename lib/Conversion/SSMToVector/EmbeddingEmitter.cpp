//===- EmbeddingEmitter.cpp - Rows of a table by token id -----------------===//

#include "Emitters.h"
#include "WeightRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "ssmq/Formats/Tiling.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

namespace {
/// One row of a table, which is written to row `t` of the result times `factor`.
struct RowCopy {
  KernelBuilder &k;
  EmbeddingOp::Adaptor op;
  WeightRows &weight;
  Value row, factor, result, t;

  void emit();
  void emitTiled();

private:
  /// The codes of the first `count` columns of a block, in their order.
  Value loadBlock(Value tile, Value byte, int64_t count);
  void store(Value codes, Value scale, Value column);
};
} // namespace

void RowCopy::store(Value codes, Value scale, Value column) {
  int64_t lanes = cast<VectorType>(codes.getType()).getDimSize(0);
  Value values = arith::MulFOp::create(k, codes, k.splat(scale, lanes));
  k.store(values, result, {t, column});
}

void RowCopy::emit() {
  weight.overGroups(
      ValueRange(),
      [&](Value base, int64_t extent, Value group, ValueRange) -> KernelBuilder::Values {
        Value scale = factor, zeroPoint;
        if (weight.isQuantized()) {
          zeroPoint = weight.loadZeroPoint(row, group);
          scale = arith::MulFOp::create(k, factor, weight.loadScale(row, group));
        }
        return k.overColumns(base, extent, weight.getChunkColumns(), ValueRange(),
                             [&](Value column, int64_t count, ValueRange) -> KernelBuilder::Values {
                               store(weight.loadInOrder(row, column, count, zeroPoint), scale,
                                     column);
                               return {};
                             });
      });
}

Value RowCopy::loadBlock(Value tile, Value byte, int64_t count) {
  constexpr int64_t kBytes = TileLayout::rowBytesOfBlock;
  Value bytes = k.loadRaw(op.getWeight(), {tile, byte}, kBytes);
  if (*op.getPackedBits() == 8)
    return k.slice(k.widen(bytes), 0, count);
  auto words = VectorType::get({kBytes}, k.getI32Type());
  Value word = arith::ExtUIOp::create(k, words, bytes);
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(k, DenseElementsAttr::get(words, value));
  };
  Value low = arith::AndIOp::create(k, word, constant(15));
  Value high = arith::ShRUIOp::create(k, word, constant(4));
  auto toCode = [&](Value nibble) -> Value {
    return k.widen(arith::SubIOp::create(k, nibble, constant(8)));
  };
  SmallVector<int64_t> lanes = llvm::to_vector(llvm::seq<int64_t>(0, count));
  return k.shuffle(toCode(low), toCode(high), lanes);
}

void RowCopy::emitTiled() {
  TileLayout layout(TileLayout::tileRows, weight.getColumns(), *op.getGroupSize(),
                    *op.getPackedBits());
  Value tile = k.floorDiv(row, TileLayout::tileRows), inTile = k.rem(row, TileLayout::tileRows);
  Value rowByte = k.mul(inTile, TileLayout::rowBytesOfBlock);
  int64_t width = layout.getBlockColumns();
  weight.overGroups(
      ValueRange(),
      [&](Value base, int64_t extent, Value group, ValueRange) -> KernelBuilder::Values {
        Value scale = k.loadScalar(op.getScales(), {tile, group, inTile}), zeroPoint;
        scale = arith::MulFOp::create(k, factor, scale);
        if (op.getZeroPoints())
          zeroPoint = k.loadScalar(op.getZeroPoints(), {tile, group, inTile});
        Value groupByte =
            k.add(k.mul(group, layout.getGroupBlocks() * TileLayout::blockBytes), rowByte);
        return k.overColumns(
            k.index(0), extent, width, ValueRange(),
            [&](Value inGroup, int64_t count, ValueRange) -> KernelBuilder::Values {
              Value byte = k.add(groupByte, k.mul(inGroup, TileLayout::blockBytes / width));
              Value codes = loadBlock(tile, byte, count);
              if (zeroPoint)
                codes = arith::SubFOp::create(k, codes, k.splat(zeroPoint, count));
              store(codes, scale, k.add(base, inGroup));
              return {};
            });
      });
}

void mlir::ssm::emit(KernelBuilder &k, EmbeddingOp::Adaptor op, ValueRange results) {
  int64_t tableRows = cast<MemRefType>(op.getWeight().getType()).getDimSize(0);
  if (op.getTileRows())
    tableRows = op.getRows().value_or(tableRows * TileLayout::tileRows);
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
    RowCopy copy{k, op, weight, row, factor, results.front(), t};
    op.getTileRows() ? copy.emitTiled() : copy.emit();
  });
}
