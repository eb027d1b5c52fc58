//===- LogitRow.h - Sums over one row of logits -----------------*- C++ -*-===//
//
// The inner loops of every divergence: vectorised over the vocabulary, in doubles, each sum in an
// order that depends on the row's length alone.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_MEASURE_LOGITROW_H
#define SSMQ_LIB_MEASURE_LOGITROW_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace ssmq {

struct Peak {
  float largest, smallest;
  /// Where the largest is, the first of equals.
  int32_t index;
  bool allFinite;
};
Peak findPeak(llvm::ArrayRef<float> row);

/// Sums over v of exp(x_v - shift), exp(x_v - shift) (x_v - y_v), and (x_v - y_v)^2. `shift` is at
/// least the largest x; rows are finite and of equal length.
struct ExpSums {
  double exp = 0, weighted = 0, squares = 0;
};
ExpSums sumExp(llvm::ArrayRef<float> x, llvm::ArrayRef<float> y, float shift);

double sumSquares(llvm::ArrayRef<float> row);

} // namespace ssmq

#endif // SSMQ_LIB_MEASURE_LOGITROW_H
