//===- MatrixWeight.cpp - The weight of a linear layer of many tokens -----===//

#include "MatrixWeight.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "ssmq/Dialect/SSM/IR/TiledWeights.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::TileLayout;

/// Columns of B in a dpas of f16.
static constexpr int64_t kHalves = 16;

MatrixWeight::MatrixWeight(LaunchScope &scope, LinearOp op)
    : scope(scope), k(scope.k), op(op),
      rows(cast<RankedTensorType>(op.getResult().getType()).getDimSize(1)),
      columns(cast<RankedTensorType>(op.getInput().getType()).getDimSize(1)) {
  if (std::optional<TileLayout> layout = getTileLayout(op))
    codes.emplace(scope, op.getWeight(), op.getScales(), op.getZeroPoints(), *layout);
}

int64_t MatrixWeight::countTiles(LinearOp op) {
  int64_t rows = cast<RankedTensorType>(op.getResult().getType()).getDimSize(1);
  return llvm::divideCeilSigned(rows, XeBuilder::kLanes);
}
int64_t MatrixWeight::getNumTiles() const { return countTiles(op); }

Value MatrixWeight::getBlock(const Step &step) {
  const TileLayout &layout = codes->layout;
  return k.add(k.mul(getGroup(step.base), layout.getGroupBlocks()),
               k.floorDiv(step.offset, layout.getBlockColumns()));
}

/// Columns of this lane's row of a weight of floats: f16 as they are, others as f32.
MatrixWeight::Values MatrixWeight::loadRow(Value tile, const Step &step) {
  const Place &place = *scope.getPlace(op.getWeight());
  Value row = getRow(tile);
  Value known = arith::SelectOp::create(k, isRow(row), row, k.index(rows - 1));
  Value column = k.add(step.base, step.offset);
  auto load = [&](Value column, int64_t count) {
    Value raw = k.loadRaw(place, {known, column}, count);
    return place.element.isF16() ? raw : k.widen(raw);
  };
  Values numbers;
  if (llvm::isPowerOf2_64(step.count) && step.count > 1) {
    Value all = load(column, step.count);
    for (int64_t i = 0; i < step.count; ++i)
      numbers.push_back(vector::ExtractOp::create(k, all, i));
    return numbers;
  }
  for (int64_t i = 0; i < step.count; ++i)
    numbers.push_back(load(k.add(column, i), 1));
  return numbers;
}

Value MatrixWeight::loadHalves(Value tile, const Step &step) {
  Type half = k.getF16Type();
  Values halves;
  if (codes) {
    Value block = getBlock(step), zeroPoint;
    if (codes->hasZeroPoints())
      zeroPoint = arith::SIToFPOp::create(k, half, codes->loadZeroPoint(tile, getGroup(step.base)));
    auto bytes = VectorType::get({4}, k.getI8Type());
    int64_t width = codes->layout.getBlockColumns();
    for (int64_t i = 0; i * width < step.count; ++i)
      for (Value word : codes->toSignedBytes(codes->loadWord(tile, k.add(block, i)))) {
        Value single = vector::BroadcastOp::create(k, VectorType::get({1}, k.getI32Type()), word);
        Value four = vector::BitCastOp::create(k, bytes, single);
        Value floats = arith::SIToFPOp::create(k, bytes.clone(half), four);
        for (int64_t j = 0; j < 4; ++j) {
          Value code = vector::ExtractOp::create(k, floats, j);
          halves.push_back(zeroPoint ? arith::SubFOp::create(k, code, zeroPoint) : code);
        }
      }
    halves.truncate(step.count);
  } else {
    for (Value number : loadRow(tile, step)) {
      Value wide = k.widen(number);
      halves.push_back(
          number.getType() == half ? number : arith::TruncFOp::create(k, half, wide).getResult());
    }
  }
  Value zero = arith::ConstantOp::create(k, k.getZeroAttr(half));
  halves.resize(kHalves, zero);
  return vector::FromElementsOp::create(k, VectorType::get({kHalves}, half), halves);
}

MatrixWeight::Values MatrixWeight::loadFloats(Value tile, const Step &step) {
  Values floats;
  Value block = getBlock(step), group = getGroup(step.base);
  Value excess = codes->loadExcess(tile, group), scale = codes->loadScale(tile, group);
  int64_t width = codes->layout.getBlockColumns();
  for (int64_t i = 0; i * width < step.count; ++i)
    for (Value code : codes->toFloats(codes->loadWord(tile, k.add(block, i))))
      floats.push_back(k.mulf(arith::SubFOp::create(k, code, excess), scale));
  floats.truncate(step.count);
  return floats;
}

Value MatrixWeight::loadScale(Value tile, Value base) {
  return codes->loadScale(tile, getGroup(base));
}
