//===- RowComparison.h - One position of student and teacher ----*- C++ -*-===//
//
// The inner loop of every divergence. With d_v = q_v - p_v - offset (student's logit less the
// teacher's, shifted so that d is small where the mass is) and weights w_v = exp(p_v - peak), one
// pass sums
//   m = sum w d,  s = sum w (e^d - 1 - d),  t = sum w d (e^d - 1),
// of which, divided by sum w, every divergence of the row follows:
//   Z = 1 + m + s = sum_v p_v e^(d_v),  KL(p||q) = log Z - m,  KL(q||p) = (m + t) / Z - log Z,
// since q_v = p_v e^(d_v) / Z. The terms of first order cancel in these formulas and not in a
// difference of two log-sum-exps, so that s and t need only be relatively right for a KL of 1e-9.
//
// Blocks with a heavy token, and rows of a small vocabulary, are summed in double. All others, the
// bulk of a row, are evaluated in float and added up in double every few blocks. Their rounding
// errors, of about 1e-7, differ from token to token and average out: the KL of a position is
// relatively right to 3e-7, that of a sequence to about 1e-8 (1e-7 when all logits move together or
// by more than 1), below what the rounding of f32 logits themselves does to it.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_MEASURE_ROWCOMPARISON_H
#define SSMQ_LIB_MEASURE_ROWCOMPARISON_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace ssmq {

/// Logits that share one decision between float and double.
inline constexpr size_t rowBlock = 16;

/// Differences (and the teacher's logits below its peak) up to here are in the range of float's
/// exponential; rows with larger ones are for sumExp (LogitRow.h).
inline constexpr float maxRowDifference = 80;

struct RowComparison {
  double m = 0, s = 0, t = 0;
  /// Over v of (q_v - p_v)^2; not finite when a logit is not.
  double squares = 0;
  /// Of the student.
  float largest = 0, smallest = 0;
};

/// The blocks of a row that are to be summed in double, ascending: those with a weight above
/// 2^-10 of `expSum`, the sum of all.
void appendHeavyBlocks(llvm::ArrayRef<float> p, float peak, double expSum,
                       std::vector<uint32_t> &blocks);

/// Compares rows of equal length. The bits do not depend on the processor. Sums are meaningless
/// when a difference is larger than maxRowDifference.
RowComparison compareRows(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q, float peak,
                          float offset, llvm::ArrayRef<uint32_t> heavyBlocks);

/// The same without AVX-512.
RowComparison compareRowsAVX2(llvm::ArrayRef<float> p, llvm::ArrayRef<float> q, float peak,
                              float offset, llvm::ArrayRef<uint32_t> heavyBlocks);

} // namespace ssmq

#endif // SSMQ_LIB_MEASURE_ROWCOMPARISON_H
