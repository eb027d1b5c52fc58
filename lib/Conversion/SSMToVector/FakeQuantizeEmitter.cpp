//===- FakeQuantizeEmitter.cpp - Activations rounded in f32 ---------------===//

#include "Emitters.h"
#include "VectorRounding.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "ssmq/Formats/StaticRanges.h"

using namespace mlir;
using namespace mlir::ssm;
using ::ssmq::Sharing;

namespace {

class FakeQuantizeEmitter {
public:
  using Values = KernelBuilder::Values;

  FakeQuantizeEmitter(KernelBuilder &k, FakeQuantizeOp::Adaptor op, Value result)
      : k(k), format(op.getFormat().getFormat()), rounding(k, format->getNumerics()),
        input(toMatrix(op.getInput())), result(toMatrix(result)),
        columns(cast<MemRefType>(input.getType()).getDimSize(1)), runSize(getRunSize(op)) {
    if (std::optional<ArrayRef<float>> bounds = op.getRanges())
      ranges = *bounds;
  }

  void run();

private:
  /// All dimensions but the last are tokens.
  Value toMatrix(Value buffer);
  int64_t getRunSize(FakeQuantizeOp::Adaptor op);
  Values addRun(Value token, Value base, int64_t extent, ValueRange range);
  void roundRun(Value token, Value base, int64_t extent, const VectorRounding::Grid &grid);
  void overRuns(Value tokens, function_ref<void(Value, Value, int64_t)> body);
  void wholeTensor(Value tokens);
  void calibrated(Value tokens);

  KernelBuilder &k;
  std::shared_ptr<const ::ssmq::Format> format;
  VectorRounding rounding;
  Value input, result;
  /// Columns of a row that share a scale.
  int64_t columns, runSize;
  ArrayRef<float> ranges;
};

} // namespace

Value FakeQuantizeEmitter::toMatrix(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t rank = type.getRank();
  if (rank == 2)
    return buffer;
  if (rank == 1)
    return memref::ExpandShapeOp::create(
        k, ArrayRef<int64_t>{1, type.getDimSize(0)}, buffer,
        ArrayRef<ReassociationIndices>{ReassociationIndices{0, 1}});
  ReassociationIndices leading = llvm::to_vector<2>(llvm::seq<int64_t>(0, rank - 1));
  return memref::CollapseShapeOp::create(
      k, buffer, ArrayRef<ReassociationIndices>{leading, ReassociationIndices{rank - 1}});
}

int64_t FakeQuantizeEmitter::getRunSize(FakeQuantizeOp::Adaptor op) {
  Sharing sharing = format->getSharing();
  switch (sharing.kind) {
  case Sharing::PerChannel: return 1;
  case Sharing::PerHead: return op.getHeadSize();
  case Sharing::Group: return std::min(sharing.groupSize, columns);
  default: return columns;
  }
}

FakeQuantizeEmitter::Values FakeQuantizeEmitter::addRun(Value token, Value base, int64_t extent,
                                                        ValueRange range) {
  return k.overColumns(
      base, extent, k.lanesFor(runSize), range,
      [&](Value column, int64_t count, ValueRange state) {
        return rounding.addToRange(state, k.load(input, {token, column}, count));
      },
      /*unroll=*/4);
}

void FakeQuantizeEmitter::roundRun(Value token, Value base, int64_t extent,
                                   const VectorRounding::Grid &grid) {
  k.overColumns(
      base, extent, k.lanesFor(extent), ValueRange(),
      [&](Value column, int64_t count, ValueRange) -> Values {
        Value x = k.load(input, {token, column}, count);
        k.store(rounding.round(x, grid), result, {token, column});
        return {};
      },
      /*unroll=*/4);
}

/// Calls body(token, base, columns) for the runs of each row.
void FakeQuantizeEmitter::overRuns(Value tokens, function_ref<void(Value, Value, int64_t)> body) {
  k.parallel(tokens, k.mul(tokens, 4 * columns), [&](Value token) {
    k.overColumns(k.index(0), columns, runSize, ValueRange(),
                  [&](Value base, int64_t extent, ValueRange) -> Values {
                    body(token, base, extent);
                    return {};
                  });
  });
}

/// One scale for all tokens of the chunk.
void FakeQuantizeEmitter::wholeTensor(Value tokens) {
  Values range = k.loop(
      k.index(0), tokens, 1, rounding.startRange(k.lanesFor(columns)),
      [&](Value token, ValueRange state) { return addRun(token, k.index(0), columns, state); });
  VectorRounding::Grid grid = rounding.fit(range);
  overRuns(tokens,
           [&](Value token, Value base, int64_t extent) { roundRun(token, base, extent, grid); });
}

/// Scales are known: one constant, or a table with a row for each part of a grid.
void FakeQuantizeEmitter::calibrated(Value tokens) {
  std::vector<::ssmq::RunGrid> grids = ::ssmq::fitGrids(*format, ranges);
  if (grids.size() == 1) {
    VectorRounding::Grid grid = rounding.fitStatic(grids.front());
    return overRuns(tokens, [&](Value token, Value base, int64_t extent) {
      roundRun(token, base, extent, grid);
    });
  }
  Value table = rounding.makeTable(grids);
  if (runSize > 1)
    return overRuns(tokens, [&](Value token, Value base, int64_t extent) {
      roundRun(token, base, extent, rounding.loadGrid(table, k.floorDiv(base, runSize), 0));
    });
  k.parallel(tokens, k.mul(tokens, 4 * columns), [&](Value token) {
    k.overColumns(columns, k.lanesFor(columns), [&](Value column, int64_t count) {
      VectorRounding::Grid grid = rounding.loadGrid(table, column, count);
      Value x = k.load(input, {token, column}, count);
      k.store(rounding.round(x, grid), result, {token, column});
    });
  });
}

void FakeQuantizeEmitter::run() {
  Value tokens = k.dim(input, 0);
  if (format->needsRanges())
    return calibrated(tokens);
  if (format->getSharing().kind == Sharing::PerTensor)
    return wholeTensor(tokens);
  overRuns(tokens, [&](Value token, Value base, int64_t extent) {
    Values range = addRun(token, base, extent, rounding.startRange(k.lanesFor(runSize)));
    roundRun(token, base, extent, rounding.fit(range));
  });
}

void mlir::ssm::emit(KernelBuilder &k, FakeQuantizeOp::Adaptor op, ValueRange results) {
  FakeQuantizeEmitter(k, op, results.front()).run();
}
