//===- LinearEmitter.cpp - y = x W^T + b ----------------------------------===//

#include "Emitters.h"
#include "GemmCall.h"
#include "PanelProduct.h"
#include "TiledLinearEmitter.h"
#include "WeightRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

class LinearEmitter {
public:
  using Values = KernelBuilder::Values;

  LinearEmitter(KernelBuilder &k, LinearOp::Adaptor op, Value result)
      : k(k), input(op.getInput()), bias(op.getBias()), result(result),
        weight(k, op.getWeight(), op.getScales(), op.getZeroPoints(), op.getPackedBits(),
               op.getGroupSize(), cast<MemRefType>(op.getInput().getType()).getDimSize(1)),
        numRows(cast<MemRefType>(result.getType()).getDimSize(1)), weightBuffer(op.getWeight()) {}

  void run();

private:
  Values groupSums(ArrayRef<Value> rows, ArrayRef<Value> tokens, ArrayRef<Value> zeroPoints,
                   Value base, int64_t extent, ValueRange inits);
  Values dots(ArrayRef<Value> rows, ArrayRef<Value> tokens);
  void tile(Value row, int64_t rows, Value token, int64_t tokens);
  void own(Value tokens);
  void inRows(Value tokens, Value work);
  void inPanels(Value tokens, Value work);
  void fillPanel(Value panel, Value row, int64_t rows);
  void block(Value row, int64_t rows, Value tokenBegin, Value tokenEnd);

  KernelBuilder &k;
  Value input, bias, result;
  WeightRows weight;
  int64_t numRows;
  Value weightBuffer;
  /// How far ahead of their use rows are asked for; 0 leaves it to the processor.
  int64_t rowsAhead = 0;
};

} // namespace

/// Adds to `inits` (one a pair of row and token, rows outermost) the products over one group.
LinearEmitter::Values LinearEmitter::groupSums(ArrayRef<Value> rows, ArrayRef<Value> tokens,
                                               ArrayRef<Value> zeroPoints, Value base,
                                               int64_t extent, ValueRange inits) {
  constexpr int64_t unroll = 4;
  auto addChunk = [&](Value column, int64_t count, ValueRange sums) {
    Values next(sums);
    SmallVector<Values> others;
    for (Value token : tokens)
      others.push_back(weight.loadOther(input, token, column, count));
    for (auto [r, row] : llvm::enumerate(rows)) {
      Values codes = weight.load(row, column, count, zeroPoints[r]);
      for (auto [t, other] : llvm::enumerate(others)) {
        Value &sum = next[r * tokens.size() + t];
        for (auto [code, value] : llvm::zip_equal(codes, other))
          sum = k.fma(k.pad(code, weight.getLanes()), k.pad(value, weight.getLanes()), sum);
      }
    }
    return next;
  };
  if (rowsAhead == 0)
    return k.overColumns(base, extent, weight.getChunkColumns(), inits, addChunk, unroll);
  return k.overColumns(
      base, extent, std::max(weight.getChunkColumns(), weight.getLineColumns()), inits,
      [&](Value column, int64_t count, ValueRange sums) {
        for (Value row : rows)
          weight.prefetch(k.min(k.add(row, rowsAhead), k.index(numRows - 1)), column);
        return k.overColumns(column, count, weight.getChunkColumns(), sums, addChunk, unroll);
      });
}

LinearEmitter::Values LinearEmitter::dots(ArrayRef<Value> rows, ArrayRef<Value> tokens) {
  Values zeros(rows.size() * tokens.size(), k.zeros(weight.getLanes()));
  if (!weight.isQuantized()) {
    SmallVector<Value> none(rows.size());
    return groupSums(rows, tokens, none, k.index(0), weight.getColumns(), zeros);
  }
  return weight.overGroups(
      zeros, [&](Value base, int64_t extent, Value group, ValueRange sums) -> Values {
        Values next(sums), zeroPoints;
        for (Value row : rows)
          zeroPoints.push_back(weight.loadZeroPoint(row, group));
        Values partial = groupSums(rows, tokens, zeroPoints, base, extent, zeros);
        for (auto [r, row] : llvm::enumerate(rows)) {
          Value scale = k.splat(weight.loadScale(row, group), weight.getLanes());
          for (size_t t = 0; t < tokens.size(); ++t) {
            Value &sum = next[r * tokens.size() + t];
            sum = k.fma(scale, partial[r * tokens.size() + t], sum);
          }
        }
        return next;
      });
}

void LinearEmitter::tile(Value row, int64_t rows, Value token, int64_t tokens) {
  Values rowIndices, tokenIndices;
  for (int64_t r = 0; r < rows; ++r)
    rowIndices.push_back(k.add(row, r));
  for (int64_t t = 0; t < tokens; ++t)
    tokenIndices.push_back(k.add(token, t));
  Values sums = dots(rowIndices, tokenIndices);
  Value offsets = bias ? k.load(bias, row, rows) : nullptr;
  for (int64_t t = 0; t < tokens; ++t) {
    Values ofToken;
    for (int64_t r = 0; r < rows; ++r)
      ofToken.push_back(sums[r * tokens + t]);
    Value y = k.sumEach(ofToken);
    if (offsets)
      y = arith::AddFOp::create(k, y, offsets);
    k.store(y, result, {tokenIndices[t], row});
  }
}

/// `rows` rows against tokens [tokenBegin, tokenEnd).
void LinearEmitter::block(Value row, int64_t rows, Value tokenBegin, Value tokenEnd) {
  int64_t tokens = k.target.vectorWidth >= 16 ? 4 : 2;
  Value whole =
      k.add(tokenBegin,
            k.mul(k.floorDiv(arith::SubIOp::create(k, tokenEnd, tokenBegin), tokens), tokens));
  k.loop(tokenBegin, whole, tokens, [&](Value token) { tile(row, rows, token, tokens); });
  k.loop(whole, tokenEnd, 1, [&](Value token) { tile(row, rows, token, 1); });
}

/// Tiles of rows and tokens, each sum over the lanes of a vector.
void LinearEmitter::inRows(Value tokens, Value work) {
  // A row that is read for one token only comes from memory: more of them at once keep more loads
  // in flight, and as streams too short for what a processor foresees by itself, the rows after
  // them are asked for. With several tokens, sums of rows x tokens fill the registers.
  constexpr int64_t rowsOfOneToken = 8, rowsOfMany = 4, rowsOfTask = 32, tokensOfPanel = 32;
  bool isOneToken = getConstantIntValue(tokens) == 1;
  Value arranged = weight.needsArranging() ? weight.arrange(input) : nullptr;
  if (arranged)
    input = arranged;

  int64_t rows = isOneToken ? rowsOfOneToken : rowsOfMany;
  int64_t whole = numRows / rows * rows;
  if (isOneToken) {
    rowsAhead = rows;
    k.parallel(k.index(whole / rows), work,
               [&](Value i) { tile(k.mul(i, rows), rows, k.index(0), 1); });
    rowsAhead = 0;
    if (whole < numRows)
      tile(k.index(whole), numRows - whole, k.index(0), 1);
  } else {
    // A panel of tokens stays in the first-level cache while the rows of a task pass over it.
    k.parallel(k.index((whole + rowsOfTask - 1) / rowsOfTask), work, [&](Value task) {
      Value rowBegin = k.mul(task, rowsOfTask);
      Value rowEnd = k.min(k.add(rowBegin, rowsOfTask), k.index(whole));
      k.loop(k.index(0), tokens, tokensOfPanel, [&](Value tokenBegin) {
        Value tokenEnd = k.min(k.add(tokenBegin, tokensOfPanel), tokens);
        k.loop(rowBegin, rowEnd, rows, [&](Value row) { block(row, rows, tokenBegin, tokenEnd); });
      });
    });
    if (whole < numRows)
      k.loop(k.index(0), tokens, 1,
             [&](Value token) { tile(k.index(whole), numRows - whole, token, 1); });
  }
  if (arranged)
    k.free(arranged);
}

/// Rows of the weight, a line of the panel for each column.
void LinearEmitter::fillPanel(Value panel, Value row, int64_t rows) {
  int64_t lanes = k.target.vectorWidth;
  for (int64_t first = 0; first < rows; first += lanes)
    k.overColumns(k.index(0), weight.getColumns(), lanes, ValueRange(),
                  [&](Value column, int64_t count, ValueRange) -> Values {
                    Values block(lanes, k.zeros(lanes));
                    for (int64_t r = first; r < std::min(first + lanes, rows); ++r)
                      block[r - first] =
                          k.pad(k.load(weightBuffer, {k.add(row, r), column}, count), lanes);
                    Values columns = k.transpose(block);
                    for (int64_t c = 0; c < count; ++c)
                      k.store(columns[c], panel, {k.add(column, c), k.index(first)});
                    return {};
                  });
}

void LinearEmitter::inPanels(Value tokens, Value work) {
  PanelProduct product(k, input, bias, result, weight.getColumns(), k.target.vectorWidth);
  int64_t panelRows = product.getPanelRows(), whole = numRows / panelRows * panelRows;
  auto multiply = [&](Value row, int64_t rows) {
    product.run(tokens, row, rows, [&](Value panel) { fillPanel(panel, row, rows); });
  };
  k.parallel(k.index(whole / panelRows), work,
             [&](Value i) { multiply(k.mul(i, panelRows), panelRows); });
  if (whole < numRows)
    multiply(k.index(whole), numRows - whole);
}

/// The product by generated code.
void LinearEmitter::own(Value tokens) {
  Value work = k.mul(tokens, numRows * weight.getColumns());
  // Sums over the lanes of short rows cost as much as their products; a panel needs none.
  constexpr int64_t longRow = 128, fewTokens = 12;
  int64_t lanes = k.target.vectorWidth;
  if (weight.isQuantized() || weight.getColumns() >= longRow || getConstantIntValue(tokens) ||
      lanes < 4 || lanes > 16)
    return inRows(tokens, work);
  Value isMany = arith::CmpIOp::create(k, arith::CmpIPredicate::sge, tokens, k.index(fewTokens));
  auto branch = scf::IfOp::create(k, isMany, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(k);
  k.setInsertionPointToStart(branch.thenBlock());
  inPanels(tokens, work);
  k.setInsertionPointToStart(branch.elseBlock());
  inRows(tokens, work);
}

void LinearEmitter::run() {
  Value tokens = k.dim(input, 0);
  if (!k.target.gemmLibrary || weight.isQuantized() || getConstantIntValue(tokens))
    return own(tokens);
  // Below this the library's packing of panels costs more than it saves.
  constexpr int64_t fewTokens = 8;
  Value isMany = arith::CmpIOp::create(k, arith::CmpIPredicate::sgt, tokens, k.index(fewTokens));
  auto branch = scf::IfOp::create(k, isMany, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(k);
  k.setInsertionPointToStart(branch.thenBlock());
  emitGemmCall(k, input, weightBuffer, bias, result);
  k.setInsertionPointToStart(branch.elseBlock());
  own(tokens);
}

void mlir::ssm::emit(KernelBuilder &k, LinearOp::Adaptor op, ValueRange results) {
  if (op.getTileRows())
    return emitTiledLinear(k, op, results.front());
  LinearEmitter(k, op, results.front()).run();
}
