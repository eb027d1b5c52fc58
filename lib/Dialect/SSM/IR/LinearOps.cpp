//===- LinearOps.cpp - Linear and embedding -------------------------------===//

#include "Bytecode.h"
#include "ShapeChecks.h"
#include "WeightOps.h"
#include "mlir/IR/OpImplementation.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"
#include "ssmq/Formats/Packing.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::SiteKind;
using ::ssmq::TileLayout;

/// Columns of a tiled weight with those that pad groups; 0 where there is no such layout.
template <typename Adaptor>
static int64_t getPaddedColumns(Adaptor op) {
  int64_t bits = op.getPackedBits().value_or(0);
  return bits == 4 || bits == 8 ? getDimSize(op.getWeight(), 1) / TileLayout::blockBytes * 32 / bits
                                : 0;
}

/// Rows of a tiled weight; the verifier has compared them with the tiles.
template <typename Adaptor>
static int64_t getTiledRows(Adaptor op) {
  return op.getRows() ? static_cast<int64_t>(*op.getRows())
                      : getDimSize(op.getWeight(), 0) * TileLayout::tileRows;
}

template <typename Adaptor>
static LogicalResult checkTiles(const ShapeChecker &check, Adaptor op, int64_t columns) {
  constexpr int64_t kTileRows = TileLayout::tileRows;
  if (static_cast<int64_t>(*op.getTileRows()) != kTileRows)
    return check.fail("tile_rows must be " + Twine(kTileRows));
  if (!op.getPackedBits() || (*op.getPackedBits() != 4 && *op.getPackedBits() != 8))
    return check.fail("a tiled weight needs packed_bits of 4 or 8");
  if (failed(check.packing(op.getWeight(), op.getPackedBits())))
    return failure();
  if (!op.getScales() || !op.getGroupSize())
    return check.fail("a quantized weight needs scales and group_size");
  auto groupSize = static_cast<int64_t>(*op.getGroupSize());
  if (groupSize < 1)
    return check.fail("group_size must be positive, but is " + Twine(groupSize));
  int64_t rows = getTiledRows(op), numTiles = getDimSize(op.getWeight(), 0);
  if (rows <= (numTiles - 1) * kTileRows || rows > numTiles * kTileRows)
    return check.fail("weight has " + Twine(numTiles) + " tiles of " + Twine(kTileRows) +
                      " rows, which are not those of " + Twine(rows) + " rows");
  int64_t bytes = getDimSize(op.getWeight(), 1);
  bool isBounded = columns >= 1 && columns <= getPaddedColumns(op);
  TileLayout layout(rows, isBounded ? columns : 1, groupSize, *op.getPackedBits());
  if (!isBounded || layout.getTileBytes() != bytes)
    return check.fail("weight has tiles of " + Twine(bytes) + " bytes, which are not those of " +
                      Twine(columns) + " columns in groups of " + Twine(groupSize) + " at " +
                      Twine(*op.getPackedBits()) + " bits");
  if (failed(check.rank("scales", op.getScales(), 3)) ||
      failed(check.dim("scales", op.getScales(), 0, numTiles, "the number of tiles")) ||
      failed(check.dim("scales", op.getScales(), 1, layout.getNumGroups(),
                       "the number of groups in a row")) ||
      failed(check.dim("scales", op.getScales(), 2, kTileRows, "the number of rows of a tile")))
    return failure();
  return check.sameShape("zero_points", op.getZeroPoints(), "scales", op.getScales());
}

/// A weight that is not tiled.
template <typename Adaptor>
static LogicalResult checkRows(const ShapeChecker &check, Adaptor op, int64_t rows,
                               int64_t columns) {
  if (op.getRows())
    return check.fail("rows belong to a tiled weight");
  return check.quantization(op.getWeight(), op.getScales(), op.getZeroPoints(), op.getGroupSize(),
                            op.getPackedBits(), rows, columns);
}

LogicalResult LinearOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                         Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(check.rank("input", op.getInput(), 2)) ||
      failed(check.rank("weight", op.getWeight(), 2)) ||
      failed(check.isStatic("weight", op.getWeight())))
    return failure();
  int64_t rows = getDimSize(op.getWeight(), 0), columns = getDimSize(op.getInput(), 1);
  if (ShapedType::isDynamic(columns))
    return check.fail("input must have a static number of columns");
  if (op.getTileRows()) {
    if (failed(checkTiles(check, op, columns)))
      return failure();
    rows = getTiledRows(op);
  } else {
    int64_t stored =
        op.getPackedBits() ? ::ssmq::getPackedRowBytes(columns, *op.getPackedBits()) : columns;
    if (failed(check.dim("weight", op.getWeight(), 1, stored,
                         op.getPackedBits() ? "the number of bytes of a packed row"
                                            : "the number of columns of the input")) ||
        failed(checkRows(check, op, rows, columns)))
      return failure();
  }
  if (op.getBias() &&
      (failed(check.rank("bias", op.getBias(), 1)) ||
       failed(check.dim("bias", op.getBias(), 0, rows, "the number of rows of the weight"))))
    return failure();
  types.push_back(getActivationType(op.getInput(), rows));
  return success();
}

SmallVector<OperandSite> LinearOp::getSites() {
  return {{&getInputMutable(), SiteKind::Activation, "input"},
          {&getWeightMutable(), SiteKind::Weight, "weight"}};
}
OpOperand *LinearOp::getWeightOperand() { return &getWeightMutable(); }
bool LinearOp::isWeightQuantized() { return getScales() != nullptr; }
LogicalResult LinearOp::setQuantizedWeight(Value codes, Value scales, Value zeroPoints,
                                           int64_t groupSize) {
  assignQuantizedWeight(*this, codes, scales, zeroPoints, groupSize);
  return success();
}

LogicalResult EmbeddingOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc,
                                            Adaptor op, SmallVectorImpl<Type> &types) {
  ShapeChecker check(getOperationName(), loc);
  if (failed(check.rank("weight", op.getWeight(), 2)) ||
      failed(check.isStatic("weight", op.getWeight())))
    return failure();
  int64_t rows = getDimSize(op.getWeight(), 0), columns = getDimSize(op.getWeight(), 1);
  if (op.getTileRows()) {
    columns = op.getColumns() ? static_cast<int64_t>(*op.getColumns()) : getPaddedColumns(op);
    if (failed(checkTiles(check, op, columns)))
      return failure();
    types.push_back(getActivationType(op.getIds(), columns));
    return success();
  }
  if (op.getPackedBits()) {
    int64_t bits = std::max<int64_t>(1, *op.getPackedBits());
    int64_t stored = columns;
    columns = op.getColumns() ? static_cast<int64_t>(*op.getColumns()) : stored * 8 / bits;
    if (columns < 1 || ::ssmq::getPackedRowBytes(columns, bits) != stored)
      return check.fail("columns do not fit packed rows of " + Twine(stored) + " bytes");
  } else if (op.getColumns()) {
    return check.fail("columns belong to a packed weight");
  }
  if (failed(checkRows(check, op, rows, columns)))
    return failure();
  types.push_back(getActivationType(op.getIds(), columns));
  return success();
}

SmallVector<OperandSite> EmbeddingOp::getSites() {
  return {{&getWeightMutable(), SiteKind::Weight, "weight"}};
}
OpOperand *EmbeddingOp::getWeightOperand() { return &getWeightMutable(); }
bool EmbeddingOp::isWeightQuantized() { return getScales() != nullptr; }
LogicalResult EmbeddingOp::setQuantizedWeight(Value codes, Value scales, Value zeroPoints,
                                              int64_t groupSize) {
  assignQuantizedWeight(*this, codes, scales, zeroPoints, groupSize);
  return success();
}

template <typename OpTy>
static std::optional<TileLayout> getLayout(OpTy op, int64_t columns) {
  if (!op.getTileRows())
    return std::nullopt;
  return TileLayout(getTiledRows(op), columns, *op.getGroupSize(), *op.getPackedBits());
}

std::optional<TileLayout> mlir::ssm::getTileLayout(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<TileLayout>>(op)
      .Case([](LinearOp linear) { return getLayout(linear, getDimSize(linear.getInput(), 1)); })
      .Case([](EmbeddingOp embedding) {
        return getLayout(embedding, embedding.getType().getDimSize(1));
      })
      .Default(std::nullopt);
}

int64_t mlir::ssm::getNumRows(EmbeddingOp op) {
  if (std::optional<TileLayout> layout = getTileLayout(op))
    return layout->getRows();
  return cast<RankedTensorType>(op.getWeight().getType()).getDimSize(0);
}

#define GET_OP_CLASSES
#include "ssmq/Dialect/SSM/IR/SSMOps.cpp.inc"
