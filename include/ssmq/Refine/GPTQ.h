//===- GPTQ.h - Rounding that makes up for its own errors -------*- C++ -*-===//
//
// GPTQ (arXiv 2210.17323) rounds the columns of a weight one after the other and moves the columns
// that are left so that they make up for the error, as far as the layer's inputs let them. It is
// computed here in the form of LDLQ, which gives the same codes without an inverse (QuIP, arXiv
// 2307.13304, theorem 6): with H = R R^T, R upper triangular, column k of the weight W is rounded
// as
//   W_k + sum_{j < k} (W_j - V_j) R_jk / R_kk,
// where V_j are the rounded columns, and the error of a row v of W becomes
//   sum_k R_kk^2 (v_k as it was rounded - its rounded value)^2,
// so that R_kk^2 is what the value of a column counts in the search for scales.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_REFINE_GPTQ_H
#define SSMQ_REFINE_GPTQ_H

#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/IntegerGrid.h"

namespace ssmq {

class Hessian;

struct GPTQOptions {
  /// Added to the diagonal of H, in parts of its mean.
  double damping = 0.01;
  /// Columns of the largest inputs first. Groups keep the scales that their original values ask
  /// for then, as their columns are not reached together.
  bool activationOrder = false;
  /// Sweeps of coordinate descent over all codes and scales afterwards, at most.
  unsigned sweeps = 8;
  unsigned threads = 1;
};

/// Rounds `weight` (f32 [rows, columns]) into `result`, which holds what nearest rounding gives and
/// tells codes, groups and zero points. Scales of a group are searched for when its columns are
/// reached. Columns that no input ever uses are rounded to nearest. Fails when H is not finite.
/// Bits do not depend on threads.
llvm::Error roundByGPTQ(const Tensor &weight, const Hessian &hessian, IntegerCodes codes,
                        const GPTQOptions &options, QuantizedTensor &result);

/// The squared error of the layer's output, summed over tokens: e H e^T over the rows e of
/// `weight` - `rounded`, both f32.
double measureOutputError(const Tensor &weight, const Tensor &rounded, const Hessian &hessian,
                          unsigned threads = 1);

} // namespace ssmq

#endif // SSMQ_REFINE_GPTQ_H
