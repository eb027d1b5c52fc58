//===- ForwardMath.cpp - What lies between the layers of @forward ---------===//

#include "ForwardBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

Value ForwardBuilder::splat(float value, Value like) {
  Location loc = locationOf("");
  Value scalar = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
  return tensor::SplatOp::create(builder, loc, scalar, like.getType(), ValueRange{numTokens});
}

Value ForwardBuilder::add(Value lhs, Value rhs) {
  return arith::AddFOp::create(builder, locationOf(""), lhs, rhs);
}

Value ForwardBuilder::multiply(Value lhs, Value rhs) {
  return arith::MulFOp::create(builder, locationOf(""), lhs, rhs);
}

Value ForwardBuilder::scale(Value input, float factor) {
  return factor == 1 ? input : multiply(input, splat(factor, input));
}

Value ForwardBuilder::divide(Value input, float divisor) {
  if (divisor == 1)
    return input;
  return arith::DivFOp::create(builder, locationOf(""), input, splat(divisor, input));
}

Value ForwardBuilder::addToRows(Value input, Value row) {
  Location loc = locationOf("");
  auto type = cast<RankedTensorType>(input.getType());
  Value empty = tensor::EmptyOp::create(builder, loc, type, ValueRange{numTokens});
  auto rows = linalg::BroadcastOp::create(builder, loc, row, empty, ArrayRef<int64_t>{0});
  return add(input, rows->getResult(0));
}

Value ForwardBuilder::timesSigmoid(Value x, Value y, StringRef site) {
  Location loc = locationOf("");
  auto negated = arith::NegFOp::create(builder, loc, y);
  Value exp = math::ExpOp::create(builder, loc, negated);
  auto result = arith::DivFOp::create(builder, loc, x, add(splat(1, y), exp));
  if (site.empty())
    return result;
  ArrayAttr sites = builder.getStrArrayAttr({(path + ":" + site).str()});
  negated->setAttr(SSMDialect::kSitesAttrName, sites);
  if (x == y)
    result->setAttr(SSMDialect::kSitesAttrName, sites);
  return result;
}

Value ForwardBuilder::silu(Value input, StringRef site) { return timesSigmoid(input, input, site); }

Value ForwardBuilder::gluGate(Value value, Value gate) { return timesSigmoid(value, gate, "gate"); }

Value ForwardBuilder::qGelu(Value input) {
  Location loc = locationOf("");
  Value open =
      arith::MaximumFOp::create(builder, loc, add(input, splat(2, input)), splat(0, input));
  return multiply(input, arith::MinimumFOp::create(builder, loc, open, splat(1, input)));
}

Value ForwardBuilder::gelu(Value input) {
  Value erf = math::ErfOp::create(builder, locationOf(""), scale(input, M_SQRT1_2));
  return multiply(scale(input, 0.5), add(erf, splat(1, input)));
}

Value ForwardBuilder::gate(Value input, Value gate) { return multiply(input, silu(gate, "gate")); }

Value ForwardBuilder::softplus(Value input) {
  // max(x, 0) + log1p(exp(-|x|)) overflows nowhere.
  Location loc = locationOf("");
  Value distance = arith::NegFOp::create(builder, loc, math::AbsFOp::create(builder, loc, input));
  Value tail = math::Log1pOp::create(builder, loc, math::ExpOp::create(builder, loc, distance));
  return add(arith::MaximumFOp::create(builder, loc, input, splat(0, input)), tail);
}

Value ForwardBuilder::clampNonnegative(Value input, float low, float high) {
  Location loc = locationOf("");
  if (low > 0)
    input = arith::MaximumFOp::create(builder, loc, input, splat(low, input));
  if (!std::isinf(high))
    input = arith::MinimumFOp::create(builder, loc, input, splat(high, input));
  return input;
}

Value ForwardBuilder::negatedExp(Value input) {
  Location loc = locationOf("");
  return arith::NegFOp::create(builder, loc, math::ExpOp::create(builder, loc, input));
}

SmallVector<Value> ForwardBuilder::split(Value input, ArrayRef<int64_t> widths) {
  SmallVector<Value> parts;
  int64_t offset = 0;
  for (int64_t width : widths) {
    SmallVector<OpFoldResult> offsets = {builder.getIndexAttr(0), builder.getIndexAttr(offset)};
    SmallVector<OpFoldResult> sizes = {numTokens, builder.getIndexAttr(width)};
    SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
    parts.push_back(
        tensor::ExtractSliceOp::create(builder, locationOf(""), input, offsets, sizes, strides));
    offset += width;
  }
  return parts;
}

static AffineMap getPlaces(Builder &builder, ArrayRef<AffineExpr> results, unsigned numDims) {
  return AffineMap::get(numDims, 0, results, builder.getContext());
}

Value ForwardBuilder::meanOfSteps(Value input) {
  Location loc = locationOf("");
  int64_t width = getWidth(input);
  Value state = addState("sum", {width}, builder.getF32Type());
  Value sum = linalg::ReduceOp::create(builder, loc, input, state, ArrayRef<int64_t>{0},
                                       [](OpBuilder &inner, Location loc, ValueRange values) {
                                         Value next = arith::AddFOp::create(inner, loc, values[0],
                                                                            values[1]);
                                         linalg::YieldOp::create(inner, loc, next);
                                       })
                  ->getResult(0);
  setNext(state, sum);
  setNext(getPosition(), nextPosition());
  AffineExpr one, column;
  bindDims(builder.getContext(), one, column);
  return compute({1, width}, {sum, nextStates.front()},
                 {getPlaces(builder, {column}, 2), getPlaces(builder, {}, 2)},
                 [](OpBuilder &inner, Location loc, ValueRange values) -> Value {
                   Value count = arith::SIToFPOp::create(inner, loc, inner.getF32Type(), values[1]);
                   return arith::DivFOp::create(inner, loc, values[0], count);
                 });
}

Value ForwardBuilder::lastStep(Value input) {
  Location loc = locationOf("");
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value last = arith::SubIOp::create(builder, loc, numTokens, one);
  SmallVector<OpFoldResult> offsets = {last, builder.getIndexAttr(0)};
  SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(1),
                                     builder.getIndexAttr(getWidth(input))};
  SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, loc, input, offsets, sizes, strides);
}

Value ForwardBuilder::compute(ArrayRef<int64_t> shape, ValueRange inputs, ArrayRef<AffineMap> maps,
                              function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  Location loc = locationOf("");
  Value empty = tensor::EmptyOp::create(builder, loc, shape, builder.getF32Type());
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(builder.getMultiDimIdentityMap(shape.size()));
  SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, empty.getType(), inputs, empty, allMaps, iterators,
                                   [&](OpBuilder &inner, Location loc, ValueRange values) {
                                     linalg::YieldOp::create(inner, loc, body(inner, loc, values));
                                   })
      .getResult(0);
}
