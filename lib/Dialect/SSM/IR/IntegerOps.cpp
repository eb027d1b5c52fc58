//===- IntegerOps.cpp - Products of integer codes -------------------------===//

#include "FormatChecks.h"
#include "ShapeChecks.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/Tiling.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;
using ::ssmq::TileLayout;

/// Sums of products of two codes of 8 bits fit i32 over so many columns.
static constexpr int64_t kMaxColumns = 1 << 16;

bool QuantizeOp::canQuantize(FormatAttr attribute, int64_t columns, int64_t groupSize) {
  std::shared_ptr<const ::ssmq::Format> format = attribute.getFormat();
  const ::ssmq::Numerics &numerics = format->getNumerics();
  // In steps from zero, which an asymmetric format has on either side.
  unsigned bits = numerics.getCodeBits() + numerics.isAsymmetric();
  if (!numerics.getInteger() || bits > 8 || columns < 1 || columns > kMaxColumns || groupSize < 1)
    return false;
  Sharing sharing = format->getSharing();
  switch (sharing.kind) {
  case Sharing::PerToken: return true;
  case Sharing::PerTensor: return format->needsRanges();
  case Sharing::Group:
    return !format->needsRanges() &&
           (sharing.groupSize >= columns || sharing.groupSize % std::min(groupSize, columns) == 0);
  default: return false;
  }
}

int64_t QuantizeOp::getScaleColumns(FormatAttr attribute, int64_t columns) {
  Sharing sharing = attribute.getFormat()->getSharing();
  return sharing.kind == Sharing::Group ? std::min(sharing.groupSize, columns) : columns;
}

namespace {
struct QuantizedTypes {
  Type codes, scales, sums;
};
} // namespace

static QuantizedTypes getQuantizedTypes(MLIRContext *context, int64_t tokens, int64_t columns,
                                        int64_t scaleColumns, int64_t groupSize, int64_t block) {
  int64_t perGroup = std::min(groupSize, columns), groups = llvm::divideCeil(columns, perGroup);
  int64_t last = columns - (groups - 1) * perGroup;
  int64_t padded =
      ((groups - 1) * llvm::divideCeil(perGroup, block) + llvm::divideCeil(last, block)) * block;
  auto scales = static_cast<int64_t>(llvm::divideCeil(columns, scaleColumns));
  return {RankedTensorType::get({tokens, padded}, IntegerType::get(context, 8)),
          RankedTensorType::get({tokens, scales}, Float32Type::get(context)),
          RankedTensorType::get({tokens, groups}, IntegerType::get(context, 32))};
}

void QuantizeOp::build(OpBuilder &builder, OperationState &state, Value input, FormatAttr format,
                       int64_t groupSize, int64_t block, DenseF32ArrayAttr ranges) {
  auto type = cast<RankedTensorType>(input.getType());
  int64_t columns = type.getDimSize(1);
  QuantizedTypes types = getQuantizedTypes(builder.getContext(), type.getDimSize(0), columns,
                                           getScaleColumns(format, columns), groupSize, block);
  build(builder, state, types.codes, types.scales, types.sums, input, format,
        builder.getI64IntegerAttr(groupSize), builder.getI64IntegerAttr(block), ranges);
}

LogicalResult QuantizeOp::verify() {
  RankedTensorType type = getInput().getType();
  int64_t columns = type.getDimSize(1);
  auto groupSize = static_cast<int64_t>(getGroupSize()), block = static_cast<int64_t>(getBlock());
  if (ShapedType::isDynamic(columns))
    return emitOpError("input must have a static number of columns");
  if (block != 4 && block != 8)
    return emitOpError("block must be 4 or 8, but is ") << block;
  if (!canQuantize(getFormat(), columns, groupSize))
    return emitOpError("format '") << getFormat().getSpelling() << "' has no integer products with "
                                   << columns << " columns in groups of " << groupSize;
  if (failed(verifyFormat(*this, getFormat(), {::ssmq::SiteKind::Activation, 1, columns, 0},
                          getRangesAttr())))
    return failure();
  QuantizedTypes types = getQuantizedTypes(getContext(), type.getDimSize(0), columns,
                                           getScaleColumns(getFormat(), columns), groupSize, block);
  for (auto [name, actual, expected] :
       {std::tuple("codes", Type(getCodes().getType()), types.codes),
        {"scales", getScales().getType(), types.scales},
        {"sums", getSums().getType(), types.sums}})
    if (actual != expected)
      return emitOpError() << name << " must be " << expected << ", but are " << actual;
  return success();
}

LogicalResult IntegerLinearOp::verify() {
  auto columns = static_cast<int64_t>(getColumns()), bits = static_cast<int64_t>(getPackedBits());
  auto groupSize = static_cast<int64_t>(getGroupSize());
  auto scaleColumns = static_cast<int64_t>(getScaleColumns());
  if (bits != 4 && bits != 8)
    return emitOpError("packed_bits must be 4 or 8, but is ") << bits;
  if (columns < 1 || columns > kMaxColumns)
    return emitOpError("columns must be 1 to ") << kMaxColumns << ", but are " << columns;
  if (groupSize < 1 || scaleColumns < 1 ||
      (scaleColumns < columns && scaleColumns % std::min(groupSize, columns)))
    return emitOpError("scale_columns must be whole groups");
  RankedTensorType type = getType(), codes = getCodes().getType();
  if (type.getRank() != 2 || type.isDynamicDim(1) || type.getDimSize(0) != codes.getDimSize(0))
    return emitOpError("the result must be tokens x rows, but is ") << type;
  int64_t tokens = type.getDimSize(0), rows = type.getDimSize(1);
  if (rows < 1)
    return emitOpError("needs rows");
  TileLayout layout(rows, columns, groupSize, bits);
  QuantizedTypes types =
      getQuantizedTypes(getContext(), tokens, columns, std::min(scaleColumns, columns), groupSize,
                        layout.getBlockColumns());
  auto shaped = [](Type type, ArrayRef<int64_t> shape) {
    return cast<RankedTensorType>(type).clone(shape);
  };
  Type weight = getWeight().getType(), weightScales = getWeightScales().getType();
  SmallVector<int64_t> tiles = {layout.getNumTiles(), layout.getTileBytes()};
  SmallVector<int64_t> groups = {layout.getNumTiles(), layout.getNumGroups(), TileLayout::tileRows};
  SmallVector<std::tuple<StringRef, Type, Type>> operands = {
      {"codes", codes, types.codes},
      {"scales", getScales().getType(), types.scales},
      {"sums", getSums().getType(), types.sums},
      {"weight", weight, shaped(weight, tiles)},
      {"weight_scales", weightScales, shaped(weightScales, groups)}};
  if (getZeroPoints()) {
    Type zeroPoints = getZeroPoints().getType();
    operands.push_back({"zero_points", zeroPoints, shaped(zeroPoints, groups)});
  }
  if (getBias()) {
    Type bias = getBias().getType();
    operands.push_back({"bias", bias, shaped(bias, {rows})});
  }
  for (auto [name, actual, expected] : operands)
    if (actual != expected)
      return emitOpError() << name << " must be " << expected << ", but is " << actual;
  return success();
}

/// Bytes of `count` codes.
static int64_t getBytes(int64_t count, uint64_t bits) { return bits == 4 ? count / 2 : count; }

LogicalResult IntegerDiagonalScanOp::verify() {
  RankedTensorType state = getState().getType(), codes = getCodes().getType();
  if (!state.hasStaticShape() || state.getDimSize(0) < 1 || state.getDimSize(1) < 2 ||
      state.getDimSize(1) % 2 != 0)
    return emitOpError("state must be heads x pairs of real and imaginary parts, but is ") << state;
  int64_t heads = state.getDimSize(0), parts = state.getDimSize(1), tokens = codes.getDimSize(0);
  if (codes.isDynamicDim(1) || codes.getDimSize(1) < heads)
    return emitOpError("codes must have a column for each of ")
           << heads << " heads, but are " << codes;
  for (auto [name, bits] :
       {std::pair("a_bits", getABits()), {"b_bits", getBBits()}, {"c_bits", getCBits()}})
    if (bits != 4 && bits != 8)
      return emitOpError() << name << " must be 4 or 8, but is " << bits;
  Type f32 = Float32Type::get(getContext()), i8 = IntegerType::get(getContext(), 8);
  auto rows = [&](uint64_t bits) {
    return RankedTensorType::get({heads, getBytes(parts, bits)}, i8);
  };
  RankedTensorType d = getD().getType();
  for (auto [name, actual, expected] :
       {std::tuple("scales", getScales().getType(), RankedTensorType::get({tokens, 1}, f32)),
        {"a", getA().getType(), rows(getABits())},
        {"b", getB().getType(), rows(getBBits())},
        {"c", getC().getType(), rows(getCBits())},
        {"constants", getConstants().getType(),
         RankedTensorType::get({heads, kConstants}, IntegerType::get(getContext(), 32))},
        {"output_scales", getOutputScales().getType(), RankedTensorType::get({heads}, f32)},
        {"d", d, d.clone({heads})},
        {"the result", getResult().getType(), RankedTensorType::get({tokens, heads}, f32)},
        {"next_state", getNextState().getType(), state}})
    if (actual != expected)
      return emitOpError() << name << " must be " << expected << ", but is " << actual;
  return success();
}

SmallVector<std::pair<OpOperand *, OpResult>> IntegerDiagonalScanOp::getStates() {
  return {{&getStateMutable(), (*this)->getResult(1)}};
}
