//===- SegmentSums.h - Sums over ranges of tokens by dpas -------*- C++ -*-===//
//
// Sums of log decays as products with triangular matrices of ones (CumBA, of XAMBA, arXiv
// 2502.06924): the sum over the tokens l of (j, i] is sum_l [l <= i] a[l] [l > j]. It is no
// difference of longer sums, whose digits would be lost. Each a[l] is the sum of two numbers of f16
// (relative error 2^-22, absolute 2^-25 at least), and sums are f32.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_SEGMENTSUMS_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_SEGMENTSUMS_H

#include "XeBuilder.h"

namespace mlir::ssm {

/// Of 8 rows, tokens from `firstRow` on, as vector<8xf32>. Columns are blocks of 16 tokens.
class SegmentSums {
public:
  /// Log decays above this are what they are; e to the power of it is 0.
  static constexpr float kLeast = -128;

  /// `steps` is f32 [tokens], at least kLeast.
  SegmentSums(XeBuilder &k, Place steps, Value firstRow);

  /// Which tokens of a block a row takes in.
  enum class Side { UpToRow, BehindRow };
  struct Rows {
    Value upper, lower;
  };
  Rows load(Value block, Side side);
  /// sums + those of a block's tokens.
  Value addAll(const Rows &rows, Value sums);
  /// sums + those of a block's tokens behind the lane's token of the same block.
  Value addBehindLane(const Rows &rows, Value sums);

private:
  Value multiply(const Rows &rows, Value b, Value sums);

  XeBuilder &k;
  Place steps;
  Value firstRow;
  /// 16 x 16 for dpas, f16.
  Value ones, triangle;
};

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_SEGMENTSUMS_H
