//===- RoundedScan.h - S4D's recurrence for training ------------*- C++ -*-===//
//
// The recurrence of DiagonalScan.h over a batch of sequences, from a state of zero, with the state
// rounded after each step, and its gradient with the rounding passed straight through
// (arXiv 2506.12480, section 4):
//   s_t = a r_{t-1} + b u_t,    y_t = 2 Re(sum_n c_n s_t,n),    r_t = round(s_t).
// As in the compiler, a step's own output comes from the state before it is rounded. Complex
// numbers are neighbours, real and imaginary part; a gradient of one is the pair of its parts'.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_KERNELS_ROUNDEDSCAN_H
#define SSMQ_KERNELS_ROUNDEDSCAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <cstdint>

namespace ssmq {

struct RoundedScan {
  int64_t batch, steps, heads, states; ///< complex states a head
  const float *u;                      ///< [batch, steps, heads]
  const float *a, *b, *c;              ///< [heads, 2 states]
  unsigned threads = 1;

  int64_t getStateSize() const { return heads * 2 * states; }
};

/// Rounds a state [heads, 2 states] in place; called from several threads.
using RoundState = llvm::function_ref<llvm::Error(llvm::MutableArrayRef<float> state)>;

/// Writes y [batch, steps, heads] and, unless null, the rounded states [batch, steps, heads,
/// 2 states]. Bits do not depend on `threads`. After an error, which is the rounding's, both are
/// undefined.
llvm::Error runRoundedScan(const RoundedScan &scan, RoundState round, float *y, float *states);

/// What gradients pass through on their way back from step to step.
struct GradientBounds {
  /// A part of a state outside its head's range was clipped: nothing passes.
  llvm::ArrayRef<float> low, high; ///< [heads]
  /// Each part of a state's gradient is clipped to [-limit, limit].
  float limit;
};

struct RoundedScanGradient {
  float *u;         ///< [batch, steps, heads]
  float *a, *b, *c; ///< [heads, 2 states]
};

/// The gradient of a loss whose gradient by y is `ofY`; `states` are what runRoundedScan wrote.
void runRoundedScanGradient(const RoundedScan &scan, const float *states, const float *ofY,
                            const GradientBounds &bounds, const RoundedScanGradient &gradient);

} // namespace ssmq

#endif // SSMQ_KERNELS_ROUNDEDSCAN_H
