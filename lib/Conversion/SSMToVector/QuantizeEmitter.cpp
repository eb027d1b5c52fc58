//===- QuantizeEmitter.cpp - Activations in integer formats ---------------===//

#include "Emitters.h"
#include "VectorRounding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "ssmq/Formats/StaticRanges.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

class QuantizeEmitter {
public:
  using Values = KernelBuilder::Values;

  QuantizeEmitter(KernelBuilder &k, QuantizeOp::Adaptor op, ValueRange results)
      : k(k), format(op.getFormat().getFormat()), rounding(k, format->getNumerics()),
        input(op.getInput()), codes(results[0]), scales(results[1]), sums(results[2]),
        columns(cast<MemRefType>(input.getType()).getDimSize(1)),
        groupSize(std::min<int64_t>(op.getGroupSize(), columns)), block(op.getBlock()),
        scaleColumns(QuantizeOp::getScaleColumns(op.getFormat(), columns)),
        lanes(k.lanesFor(groupSize)) {
    if (std::optional<ArrayRef<float>> bounds = op.getRanges())
      ranges = *bounds;
  }

  void run();

private:
  void dynamicRun(Value token, Value base, int64_t extent);
  void staticRun(Value token);
  Value storeGroup(Value token, Value base, int64_t extent, const VectorRounding::Grid &grid,
                   Value poison);

  KernelBuilder &k;
  std::shared_ptr<const ::ssmq::Format> format;
  VectorRounding rounding;
  Value input, codes, scales, sums;
  int64_t columns, groupSize, block, scaleColumns;
  /// Of vectors of codes.
  int64_t lanes;
  ArrayRef<float> ranges;
};

} // namespace

/// Codes and their sum for a group of the weights. `poison`, if there is one, takes in x * 0: NaN
/// where a value is not finite.
Value QuantizeEmitter::storeGroup(Value token, Value base, int64_t extent,
                                  const VectorRounding::Grid &grid, Value poison) {
  int64_t padded = llvm::divideCeil(groupSize, block) * block;
  Value group = k.floorDiv(base, groupSize);
  Value target = padded == groupSize ? base : k.mul(group, padded);
  Value shift = arith::SubIOp::create(k, target, base);
  auto sumType = VectorType::get({lanes}, k.getI32Type());
  Values state = {k.integers(sumType, 0)};
  if (poison)
    state.push_back(poison);
  state = k.overColumns(
      base, extent, lanes, state,
      [&](Value column, int64_t count, ValueRange before) -> Values {
        Value x = k.load(input, {token, column}, count);
        Value steps = rounding.roundToSteps(x, grid);
        Value words = arith::FPToSIOp::create(k, VectorType::get({count}, k.getI32Type()), steps);
        Value bytes = arith::TruncIOp::create(k, VectorType::get({count}, k.getI8Type()), words);
        k.store(bytes, codes, {token, k.add(column, shift)});
        Values after = {arith::AddIOp::create(k, before[0], k.pad(words, lanes))};
        if (poison)
          after.push_back(k.fma(k.pad(x, lanes), k.zeros(lanes), before[1]));
        return after;
      },
      /*unroll=*/8);
  Value sum = vector::ReductionOp::create(k, vector::CombiningKind::ADD, state[0]);
  k.storeScalar(sum, sums, {token, group});
  auto used = static_cast<int64_t>(llvm::divideCeil(extent, block)) * block;
  if (used > extent)
    k.store(k.integers(VectorType::get({used - extent}, k.getI8Type()), 0), codes,
            {token, k.add(target, extent)});
  return poison ? state[1] : nullptr;
}

/// The columns that share a scale.
void QuantizeEmitter::dynamicRun(Value token, Value base, int64_t extent) {
  int64_t rangeLanes = k.lanesFor(extent);
  Values range = k.overColumns(
      base, extent, rangeLanes, rounding.startRange(rangeLanes),
      [&](Value column, int64_t count, ValueRange state) {
        return rounding.addToRange(state, k.load(input, {token, column}, count));
      },
      /*unroll=*/8);
  VectorRounding::Grid grid = rounding.fit(range);
  k.storeScalar(grid.scale, scales, {token, k.floorDiv(base, scaleColumns)});
  k.overColumns(base, extent, groupSize, ValueRange(),
                [&](Value column, int64_t count, ValueRange) -> Values {
                  storeGroup(token, column, count, grid, nullptr);
                  return {};
                });
}

void QuantizeEmitter::staticRun(Value token) {
  VectorRounding::Grid grid = rounding.fitStatic(::ssmq::fitGrids(*format, ranges).front());
  Values poison = k.overColumns(k.index(0), columns, groupSize, ValueRange(k.zeros(lanes)),
                                [&](Value column, int64_t count, ValueRange state) -> Values {
                                  return {storeGroup(token, column, count, grid, state[0])};
                                });
  Value scale = arith::AddFOp::create(k, grid.scale, k.sumLanes(poison[0]));
  k.storeScalar(scale, scales, {token, k.index(0)});
}

void QuantizeEmitter::run() {
  Value tokens = k.dim(input, 0);
  k.parallel(tokens, k.mul(tokens, 4 * columns), [&](Value token) {
    if (format->needsRanges())
      return staticRun(token);
    k.overColumns(k.index(0), columns, scaleColumns, ValueRange(),
                  [&](Value base, int64_t extent, ValueRange) -> Values {
                    dynamicRun(token, base, extent);
                    return {};
                  });
  });
}

void mlir::ssm::emit(KernelBuilder &k, QuantizeOp::Adaptor op, ValueRange results) {
  QuantizeEmitter(k, op, results).run();
}
