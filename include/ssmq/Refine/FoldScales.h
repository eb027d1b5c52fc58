//===- FoldScales.h - Moves the size of channels into weights ---*- C++ -*-===//
//
// AWQ (arXiv 2306.00978): the columns of a weight that are multiplied by large inputs matter more
// than others, and are rounded better when they are made larger, their inputs being made smaller
// by as much. For inputs x and weights W of the layers that read them,
//   W x = (W diag(s)) (diag(1/s) x),   s_j = mean |x_j|^alpha,
// where 1/s is folded into what stands before, a norm's weight or a linear layer's rows, so that
// the program stays the same function. Alpha is searched for on a grid from 0 (nothing changes) to
// 1, as the one of least error of the layers' outputs once their weights are rounded.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFINE_FOLDSCALES_H
#define SSMQ_REFINE_FOLDSCALES_H

#include "ssmq/Formats/Format.h"

namespace ssmq {

class Hessian;

/// A layer that reads the inputs: its weight as f32 [rows, columns] and the format to come.
struct FoldedLayer {
  Tensor weight;
  std::shared_ptr<const Format> format;
};

struct FoldResult {
  double alpha = 0;
  /// s, one a column, geometrically around 1; empty when alpha is 0.
  std::vector<float> scales;
  /// Squared error of all outputs, relative to their squares, without and with the scales.
  double errorBefore = 0, errorAfter = 0;
};

/// `magnitudes` are the mean |x_j|, `gridSize` the alphas that are tried above 0. Weights in
/// codes are rounded with the scales of least squared error. Fails when a weight cannot be held in
/// its format.
llvm::Expected<FoldResult> searchFold(llvm::ArrayRef<FoldedLayer> layers,
                                      llvm::ArrayRef<double> magnitudes, const Hessian &hessian,
                                      unsigned gridSize, unsigned threads = 1);

/// Column j times factors[j].
Tensor scaleColumns(const Tensor &weight, llvm::ArrayRef<float> factors);

/// Row first + i, or element of a vector, divided by divisors[i].
Tensor divideRows(const Tensor &weight, llvm::ArrayRef<float> divisors, int64_t first = 0);

} // namespace ssmq

#endif // SSMQ_REFINE_FOLDSCALES_H
