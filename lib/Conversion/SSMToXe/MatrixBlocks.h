//===- MatrixBlocks.h - Blocks of matrices for dpas -------------*- C++ -*-===//
//
// dpas adds the product of 8 x 16 (f16) or 8 x 32 (i8) values A and 16 x 16 or 32 x 16 values B to
// 8 x 16 sums. Lane l holds column l of the sums and of B, and of each row of A column l (f16) or
// columns 2 l and 2 l + 1 (i8).
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_MATRIXBLOCKS_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_MATRIXBLOCKS_H

#include "XeBuilder.h"

namespace mlir::ssm {

/// A matrix of floats or i8 in memory of the device, read as A.
class MatrixBlocks {
public:
  static constexpr int64_t kRows = 8;

  /// Blocks will begin at multiples of `step` columns.
  MatrixBlocks(XeBuilder &k, const Place &place, Value rows, int64_t columns, int64_t step);

  /// The block from (row, column) on; 0 beyond the matrix. Floats as vector<8xf16>, rounded to
  /// nearest; i8 as vector<16xi8>.
  Value load(Value row, Value column);

private:
  Value loadEach(Value row, Value column);

  XeBuilder &k;
  Place place;
  Type element;
  Value rows;
  int64_t columns;
  /// For 2-D block loads, where the matrix is one that they take; `shift` columns before it begins,
  /// the memory is aligned as they need.
  Value descriptor;
  int64_t shift = 0;
};

/// sums + a b
Value multiplyBlocks(XeBuilder &k, Value a, Value b, Value sums);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_MATRIXBLOCKS_H
