//===- SegmentSums.cpp - Sums over ranges of tokens by dpas ---------------===//

#include "SegmentSums.h"

#include "Halves.h"
#include "MatrixBlocks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ssm;

static Value f16(XeBuilder &k, float number) {
  return arith::ConstantOp::create(k, k.getF16FloatAttr(number));
}

SegmentSums::SegmentSums(XeBuilder &k, Place steps, Value firstRow)
    : k(k), steps(std::move(steps)), firstRow(firstRow) {
  Value one = f16(k, 1), zero = f16(k, 0);
  ones = splat(k, one, XeBuilder::kLanes);
  XeBuilder::Values rows;
  for (int64_t l = 0; l < XeBuilder::kLanes; ++l)
    rows.push_back(k.select(k.isLess(k.lane, k.index(l)), one, zero));
  triangle = vector::FromElementsOp::create(k, cast<VectorType>(ones.getType()), rows);
}

SegmentSums::Rows SegmentSums::load(Value block, Side side) {
  Value token = k.add(k.mul(block, XeBuilder::kLanes), k.lane), step = k.load(steps, token);
  Value upper = k.narrow(step, k.getF16Type());
  Value lower = k.narrow(k.subf(step, k.widen(upper)), k.getF16Type()), zero = f16(k, 0);
  XeBuilder::Values uppers, lowers;
  for (int64_t i = 0; i < MatrixBlocks::kRows; ++i) {
    Value isBehind = k.isLess(k.add(firstRow, i), token);
    auto mask = [&](Value number) {
      return side == Side::BehindRow ? k.select(isBehind, number, zero)
                                     : k.select(isBehind, zero, number);
    };
    uppers.push_back(mask(upper));
    lowers.push_back(mask(lower));
  }
  auto type = VectorType::get({MatrixBlocks::kRows}, k.getF16Type());
  return {vector::FromElementsOp::create(k, type, uppers),
          vector::FromElementsOp::create(k, type, lowers)};
}

Value SegmentSums::multiply(const Rows &rows, Value b, Value sums) {
  return multiplyBlocks(k, rows.upper, b, multiplyBlocks(k, rows.lower, b, sums));
}

Value SegmentSums::addAll(const Rows &rows, Value sums) { return multiply(rows, ones, sums); }
Value SegmentSums::addBehindLane(const Rows &rows, Value sums) {
  return multiply(rows, triangle, sums);
}
