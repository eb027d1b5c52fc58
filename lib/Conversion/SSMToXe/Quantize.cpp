//===- Quantize.cpp - Activations in integer formats ----------------------===//
//
// A sub-group has a group of columns of the weights that the codes meet: it sums their codes.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "RunRounding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "ssmq/Formats/StaticRanges.h"

using namespace mlir;
using namespace mlir::ssm;

using Values = XeBuilder::Values;

namespace {

class QuantizeEmitter {
public:
  QuantizeEmitter(LaunchScope &scope, QuantizeOp op, Value token)
      : scope(scope), k(scope.k), op(op), token(token), format(op.getFormat().getFormat()),
        rounding(k, format->getNumerics()),
        columns(cast<RankedTensorType>(op.getInput().getType()).getDimSize(1)),
        groupSize(std::min<int64_t>(op.getGroupSize(), columns)), block(op.getBlock()),
        scaleColumns(QuantizeOp::getScaleColumns(op.getFormat(), columns)) {}

  void run();

private:
  Value load(Value column) { return scope.load(op.getInput(), {token, column}); }
  void storeGroup(Value group, const IntegerGrid &grid);
  void storeGroups(const IntegerGrid &grid);
  void calibratedRow();
  void wholeRow();
  void runsOfGroups();

  LaunchScope &scope;
  XeBuilder &k;
  QuantizeOp op;
  Value token;
  std::shared_ptr<const ::ssmq::Format> format;
  RunRounding rounding;
  int64_t columns, groupSize, block, scaleColumns;
};

} // namespace

/// Codes of a group, 0 behind the last column, and their sum.
void QuantizeEmitter::storeGroup(Value group, const IntegerGrid &grid) {
  int64_t padded = llvm::divideCeilSigned(groupSize, block) * block;
  Value begin = k.mul(group, groupSize), target = k.mul(group, padded);
  Value extent = columns % groupSize
                     ? k.min(k.index(groupSize), arith::SubIOp::create(k, k.index(columns), begin))
                     : k.index(groupSize);
  Value used = k.mul(k.floorDiv(k.add(extent, block - 1), block), block);
  Value sum = k.loop(k.lane, used, k.index(XeBuilder::kLanes), {k.i32(0)},
                     [&](Value i, ValueRange sums) -> Values {
                       Value x = load(k.add(begin, k.min(i, k.add(extent, -1))));
                       Value steps = rounding.grids.integers.roundToSteps(x, grid);
                       Value code = arith::FPToSIOp::create(k, k.getI32Type(), steps);
                       code = k.select(k.isLess(i, extent), code, k.i32(0));
                       Value byte = arith::TruncIOp::create(k, k.getI8Type(), code);
                       scope.store(op.getCodes(), {token, k.add(target, i)}, byte);
                       return {k.add(sums[0], code)};
                     })[0];
  sum = k.reduceSubgroup(sum, [&](Value a, Value b) { return k.add(a, b); });
  k.ifThen(k.isEqual(k.lane, k.index(0)), [&] { scope.store(op.getSums(), {token, group}, sum); });
}

void QuantizeEmitter::storeGroups(const IntegerGrid &grid) {
  k.loop(k.subgroup, k.index(llvm::divideCeilSigned(columns, groupSize)),
         k.index(XeBuilder::kSubgroups), [&](Value group) { storeGroup(group, grid); });
}

void QuantizeEmitter::calibratedRow() {
  IntegerGrid grid =
      rounding.grids.integers.fitStatic(::ssmq::fitGrids(*format, *op.getRanges()).front());
  storeGroups(grid);
  // NaN where a value is not finite.
  Value poison = k.loop(k.item, k.index(columns), k.index(XeBuilder::kItems), {k.f32(0)},
                        [&](Value column, ValueRange before) -> Values {
                          return {k.fma(load(column), k.f32(0), before[0])};
                        })[0];
  Value scale = k.addf(grid.scale, k.sumGroup(poison));
  k.ifThen(k.isEqual(k.item, k.index(0)),
           [&] { scope.store(op.getScales(), {token, k.index(0)}, scale); });
}

void QuantizeEmitter::wholeRow() {
  Values range = k.loop(
      k.item, k.index(columns), k.index(XeBuilder::kItems), rounding.startRange(),
      [&](Value column, ValueRange before) { return rounding.addToRange(before, load(column)); });
  IntegerGrid grid = rounding.fit(rounding.mergeGroup(range));
  storeGroups(grid);
  k.ifThen(k.isEqual(k.item, k.index(0)),
           [&] { scope.store(op.getScales(), {token, k.index(0)}, grid.scale); });
}

/// A sub-group has the columns that share a scale: one or more groups of the weights.
void QuantizeEmitter::runsOfGroups() {
  int64_t runs = llvm::divideCeilSigned(columns, scaleColumns);
  int64_t groupsOfRun = scaleColumns / groupSize;
  k.loop(k.subgroup, k.index(runs), k.index(XeBuilder::kSubgroups), [&](Value run) {
    Value begin = k.mul(run, scaleColumns), end = k.add(begin, scaleColumns);
    end = k.min(end, k.index(columns));
    Values range = k.loop(
        k.add(begin, k.lane), end, k.index(XeBuilder::kLanes), rounding.startRange(),
        [&](Value column, ValueRange before) { return rounding.addToRange(before, load(column)); });
    IntegerGrid grid = rounding.fit(rounding.mergeSubgroup(range));
    k.ifThen(k.isEqual(k.lane, k.index(0)),
             [&] { scope.store(op.getScales(), {token, run}, grid.scale); });
    Value first = k.mul(run, groupsOfRun), last = k.add(first, groupsOfRun);
    last = k.min(last, k.index(llvm::divideCeilSigned(columns, groupSize)));
    k.loop(first, last, k.index(1), [&](Value group) { storeGroup(group, grid); });
  });
}

void QuantizeEmitter::run() {
  if (format->needsRanges())
    return calibratedRow();
  scaleColumns >= columns ? wholeRow() : runsOfGroups();
}

void ssm::emitQuantize(LaunchScope &scope, QuantizeOp op, Value token) {
  QuantizeEmitter(scope, op, token).run();
}
