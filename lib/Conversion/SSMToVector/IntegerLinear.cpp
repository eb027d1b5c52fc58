//===- IntegerLinear.cpp - Integer activations with integer weights -------===//

#include "ssmq/Conversion/SSMToVector/Passes.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Tiling.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_INTEGERLINEAR
#include "ssmq/Conversion/SSMToVector/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

/// The number of columns that groups are padded to; the same for weights of 4 and of 8 bits where
/// that changes nothing, so that they share codes.
static int64_t getBlock(const TileLayout &layout) {
  TileLayout wide(layout.getRows(), layout.getColumns(), layout.getGroupSize(), 4);
  return wide.getPaddedColumns() == layout.getPaddedColumns() ? wide.getBlockColumns()
                                                              : layout.getBlockColumns();
}

static void convert(LinearOp op) {
  auto rounded = op.getInput().getDefiningOp<FakeQuantizeOp>();
  if (!rounded || !op.getTileRows())
    return;
  int64_t columns = rounded.getType().getDimSize(1);
  auto groupSize = std::min<int64_t>(*op.getGroupSize(), columns);
  FormatAttr format = rounded.getFormat();
  if (!QuantizeOp::canQuantize(format, columns, groupSize))
    return;
  auto resultType = cast<RankedTensorType>(op.getType());
  TileLayout layout(resultType.getDimSize(1), columns, groupSize, *op.getPackedBits());
  OpBuilder builder(op);
  auto codes = QuantizeOp::create(builder, rounded.getLoc(), rounded.getInput(), format, groupSize,
                                  getBlock(layout), rounded.getRangesAttr());
  auto product =
      IntegerLinearOp::create(builder, op.getLoc(), resultType, codes.getCodes(), codes.getScales(),
                              codes.getSums(), op.getWeight(), op.getScales(), op.getZeroPoints(),
                              op.getBias(), columns, QuantizeOp::getScaleColumns(format, columns),
                              groupSize, *op.getPackedBits(), op.getPathAttr());
  op.replaceAllUsesWith(product.getResult());
  op.erase();
  if (rounded.use_empty())
    rounded.erase();
}

namespace {

struct IntegerLinear : public ssm::impl::IntegerLinearBase<IntegerLinear> {
  void runOnOperation() override {
    SmallVector<LinearOp> linears;
    getOperation()->walk([&](LinearOp op) { linears.push_back(op); });
    for (LinearOp op : linears)
      convert(op);
  }
};

} // namespace
