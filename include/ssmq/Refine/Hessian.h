//===- Hessian.h - Second moments of a layer's inputs -----------*- C++ -*-===//
//
// The squared error of a linear layer's output, summed over tokens x, is
//   sum_x |(W - V) x|^2 = sum over rows e of (W - V) of  e H e^T / 2,   H = 2 sum_x x x^T,
// so that H is the Hessian of the error of each row, the same for all rows (GPTQ, arXiv 2210.17323,
// section 3). Where the loss behind the layer is taken to second order with one curvature for each
// output, that curvature is a constant factor of a row: it does not change which codes of the row
// are best, so that minimising e H e^T row by row is minimising such a loss (a divergence) as well.
// The factor 2 is left out here: it cancels everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFINE_HESSIAN_H
#define SSMQ_REFINE_HESSIAN_H

#include "ssmq/Support/Tensor.h"
#include <vector>

namespace ssmq {

/// sum_x x x^T over tokens, in f64. Products of one call are summed in f32 over at most 256 tokens,
/// which costs about 1e-6 of the diagonal.
class Hessian {
public:
  explicit Hessian(int64_t columns)
      : columns(columns), sums(static_cast<size_t>(columns * columns)) {}

  /// Inputs as f32 [tokens, columns]. Bits do not depend on `threads`.
  void add(const Tensor &inputs, unsigned threads = 1);
  /// Adds `fraction` of the mean of the diagonal to it: errors of the weights themselves count,
  /// too.
  void addIdentity(double fraction);
  /// Adds what another one has summed.
  void add(const Hessian &other);

  int64_t getColumns() const { return columns; }
  int64_t getNumTokens() const { return tokens; }
  double get(int64_t row, int64_t column) const { return sums[row * columns + column]; }
  double getMeanDiagonal() const;
  bool isFinite() const;

private:
  int64_t columns, tokens = 0;
  std::vector<double> sums;
};

} // namespace ssmq

#endif // SSMQ_REFINE_HESSIAN_H
