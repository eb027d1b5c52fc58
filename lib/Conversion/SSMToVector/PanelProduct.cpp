//===- PanelProduct.cpp - Products with values that lie in a panel --------===//

#include "PanelProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ssm;

void PanelProduct::storeSums(ValueRange sums, Value row, int64_t numRows, ArrayRef<Value> tokens) {
  for (int64_t part = 0; part * lanes < numRows; ++part) {
    Value first = k.add(row, part * lanes);
    int64_t rows = std::min(lanes, numRows - part * lanes);
    Value offsets = bias ? k.load(bias, first, rows) : nullptr;
    for (auto [t, token] : llvm::enumerate(tokens)) {
      Value y = k.slice(sums[part * tokens.size() + t], 0, rows);
      if (offsets)
        y = arith::AddFOp::create(k, y, offsets);
      k.store(y, result, {token, first});
    }
  }
}

void PanelProduct::multiply(Value panel, Value row, int64_t numRows, ArrayRef<Value> tokens) {
  const int64_t vectors = cast<MemRefType>(panel.getType()).getDimSize(1) / lanes;
  constexpr int64_t columnsOfTurn = 4;
  Values zeros(vectors * tokens.size(), k.zeros(lanes));
  Values sums = k.overColumns(
      k.index(0), columns, columnsOfTurn, zeros,
      [&](Value column, int64_t count, ValueRange before) {
        Values next(before);
        for (int64_t c = 0; c < count; ++c) {
          Values rows;
          for (int64_t v = 0; v < vectors; ++v)
            rows.push_back(k.loadRaw(panel, {k.add(column, c), k.index(v * lanes)}, lanes));
          for (auto [t, token] : llvm::enumerate(tokens)) {
            Value x = k.splat(k.loadScalar(input, {token, k.add(column, c)}), lanes);
            for (auto [v, values] : llvm::enumerate(rows)) {
              Value &sum = next[v * tokens.size() + t];
              sum = k.fma(values, x, sum);
            }
          }
        }
        return next;
      });
  storeSums(sums, row, numRows, tokens);
}

void PanelProduct::run(Value tokens, Value row, int64_t numRows,
                       function_ref<void(Value panel)> fill) {
  Value panel = k.allocate(k.index(columns), {static_cast<int64_t>(llvm::alignTo(numRows, lanes))});
  fill(panel);
  k.overTokens(tokens, lanes == 16 ? 12 : 6,
               [&](ArrayRef<Value> several) { multiply(panel, row, numRows, several); });
  k.free(panel);
}
