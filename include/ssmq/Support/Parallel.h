//===- Parallel.h - Static parallel loops -----------------------*- C++ -*-===//
//
// One process-wide pool; loops are cut into contiguous ranges fixed by the thread count alone.
// Bodies must write disjoint data and must not depend on where a range starts, so that results are
// bitwise equal for any number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_PARALLEL_H
#define SSMQ_SUPPORT_PARALLEL_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>

namespace ssmq {

/// Calls body(begin, end) for at most `threads` ranges that cover [0, n) and waits for them. Runs
/// inline for one thread or one range, and inside another parallelFor.
void parallelFor(unsigned threads, int64_t n,
                 llvm::function_ref<void(int64_t begin, int64_t end)> body);

} // namespace ssmq

#endif // SSMQ_SUPPORT_PARALLEL_H
