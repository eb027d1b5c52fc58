//===- Cholesky.h - Factors of symmetric matrices ---------------*- C++ -*-===//

#ifndef SSMQ_REFINE_CHOLESKY_H
#define SSMQ_REFINE_CHOLESKY_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace ssmq {

/// Overwrites the lower triangle of a row-major n x n matrix A with L, A = L L^T; what lies above
/// the diagonal is neither read nor meaningful afterwards. False, with A spoiled, when A is not
/// positive definite. Blocked; bits do not depend on `threads`.
bool factorCholesky(llvm::MutableArrayRef<double> matrix, int64_t n, unsigned threads = 1);

} // namespace ssmq

#endif // SSMQ_REFINE_CHOLESKY_H
