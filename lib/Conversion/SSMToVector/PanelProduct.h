//===- PanelProduct.h - Products with values that lie in a panel *- C++ -*-===//
//
// A panel holds the f32 values of some rows of a weight, a line for each column: lanes are rows, so
// that one value of an activation meets a whole vector and nothing is summed across lanes. Many
// tokens pass over a panel while it stays in the second-level cache.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOVECTOR_PANELPRODUCT_H
#define SSMQ_LIB_CONVERSION_SSMTOVECTOR_PANELPRODUCT_H

#include "KernelBuilder.h"

namespace mlir::ssm {

/// Of input (tokens x columns) with a weight's rows, plus bias (null for none), into the result.
class PanelProduct {
public:
  using Values = KernelBuilder::Values;

  /// `lanes` is a power of two, at most 16.
  PanelProduct(KernelBuilder &k, Value input, Value bias, Value result, int64_t columns,
               int64_t lanes)
      : k(k), input(input), bias(bias), result(result), columns(columns), lanes(lanes) {}

  /// Rows of a panel whose sums fill the registers.
  int64_t getPanelRows() const { return lanes == 16 ? 32 : 16; }
  /// Stores the product of all tokens with `numRows` rows from `row` on. `fill` writes the panel
  /// (memref<columns x rows>), whose rows are `numRows` rounded up to lanes.
  void run(Value tokens, Value row, int64_t numRows, function_ref<void(Value panel)> fill);
  /// Stores sums, of each `lanes` rows (from `row` on) and token, tokens innermost.
  void storeSums(ValueRange sums, Value row, int64_t numRows, ArrayRef<Value> tokens);

private:
  void multiply(Value panel, Value row, int64_t numRows, ArrayRef<Value> tokens);

  KernelBuilder &k;
  Value input, bias, result;
  int64_t columns, lanes;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOVECTOR_PANELPRODUCT_H
