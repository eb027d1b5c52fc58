//===- FakeQuantize.cpp - Activations rounded in f32 ----------------------===//

#include "Emitters.h"
#include "RunRounding.h"
#include "ssmq/Formats/StaticRanges.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;

using Values = XeBuilder::Values;

namespace {

class FakeQuantizeEmitter {
public:
  FakeQuantizeEmitter(LaunchScope &scope, FakeQuantizeOp op)
      : scope(scope), k(scope.k), op(op), format(op.getFormat().getFormat()),
        rounding(k, format->getNumerics()),
        columns(cast<RankedTensorType>(op.getInput().getType()).getDimSize(1)),
        runSize(getRunSize()) {}

  void row(Value token);
  /// One scale for all tokens of the call.
  void wholeTensor();

private:
  int64_t getRunSize();
  Value load(Value token, Value column) { return scope.load(op.getInput(), {token, column}); }
  void round(Value token, Value column, const IntegerGrid &grid);
  /// Takes in the columns that this work-item has of a row.
  Values addRow(Value token, ValueRange range);
  void calibratedRow(Value token);
  void run(Value token, Value begin);

  LaunchScope &scope;
  XeBuilder &k;
  FakeQuantizeOp op;
  std::shared_ptr<const ::ssmq::Format> format;
  RunRounding rounding;
  /// Columns of a row, and of those that share a scale.
  int64_t columns, runSize;
};

} // namespace

int64_t FakeQuantizeEmitter::getRunSize() {
  Sharing sharing = format->getSharing();
  switch (sharing.kind) {
  case Sharing::PerChannel: return 1;
  case Sharing::PerHead: return op.getHeadSize();
  case Sharing::Group: return std::min(sharing.groupSize, columns);
  default: return columns;
  }
}

void FakeQuantizeEmitter::round(Value token, Value column, const IntegerGrid &grid) {
  Value x = load(token, column);
  scope.store(op.getResult(), {token, column}, rounding.grids.round(x, grid));
}

Values FakeQuantizeEmitter::addRow(Value token, ValueRange range) {
  return k.loop(k.item, k.index(columns), k.index(XeBuilder::kItems), range,
                [&](Value column, ValueRange before) {
                  return rounding.addToRange(before, load(token, column));
                });
}

void FakeQuantizeEmitter::wholeTensor() {
  Value begin = k.index(0), end = scope.countTokens(op.getInput()), one = k.index(1);
  Values range = k.loop(begin, end, one, rounding.startRange(),
                        [&](Value t, ValueRange before) { return addRow(t, before); });
  IntegerGrid grid = rounding.fit(rounding.mergeGroup(range));
  k.loop(begin, end, one,
         [&](Value t) { k.overColumns(columns, [&](Value column) { round(t, column, grid); }); });
}

void FakeQuantizeEmitter::calibratedRow(Value token) {
  std::vector<::ssmq::RunGrid> grids = ::ssmq::fitGrids(*format, *op.getRanges());
  if (grids.size() == 1) {
    IntegerGrid grid = rounding.grids.integers.fitStatic(grids.front());
    return k.overColumns(columns, [&](Value column) { round(token, column, grid); });
  }
  Place table = rounding.makeTable(grids);
  k.overColumns(columns, [&](Value column) {
    round(token, column, rounding.loadGrid(table, k.floorDiv(column, runSize)));
  });
}

/// A sub-group has a run.
void FakeQuantizeEmitter::run(Value token, Value begin) {
  Value first = k.add(begin, k.lane), end = k.min(k.add(begin, runSize), k.index(columns));
  Value step = k.index(XeBuilder::kLanes);
  Values range =
      k.loop(first, end, step, rounding.startRange(), [&](Value column, ValueRange before) {
        return rounding.addToRange(before, load(token, column));
      });
  IntegerGrid grid = rounding.fit(rounding.mergeSubgroup(range));
  k.loop(first, end, step, [&](Value column) { round(token, column, grid); });
}

void FakeQuantizeEmitter::row(Value token) {
  if (format->needsRanges())
    return calibratedRow(token);
  if (runSize == columns) {
    Values range = addRow(token, rounding.startRange());
    IntegerGrid grid = rounding.fit(rounding.mergeGroup(range));
    return k.overColumns(columns, [&](Value column) { round(token, column, grid); });
  }
  if (runSize == 1)
    return k.overColumns(columns, [&](Value column) {
      Values range = rounding.addToRange(rounding.startRange(), load(token, column));
      round(token, column, rounding.fit(range));
    });
  k.loop(k.mul(k.subgroup, runSize), k.index(columns), k.index(XeBuilder::kSubgroups * runSize),
         [&](Value begin) { run(token, begin); });
}

static bool isOfWholeTensor(FakeQuantizeOp op) {
  std::shared_ptr<const ::ssmq::Format> format = op.getFormat().getFormat();
  return !format->needsRanges() && format->getSharing().kind == Sharing::PerTensor;
}

Grid ssm::getFakeQuantizeGrid(FakeQuantizeOp op) { return {1, isOfWholeTensor(op) ? 0 : 1}; }

void ssm::emitFakeQuantize(LaunchScope &scope, FakeQuantizeOp op, Value token) {
  FakeQuantizeEmitter emitter(scope, op);
  isOfWholeTensor(op) ? emitter.wholeTensor() : emitter.row(token);
}
