//===- SequenceLoop.h - Work on sequences at the same time ------*- C++ -*-===//

#ifndef SSMQ_LIB_MEASURE_SEQUENCELOOP_H
#define SSMQ_LIB_MEASURE_SEQUENCELOOP_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace ssmq {

/// Calls `body` for each of [begin, end), `threads` at a time. Of failures one is told, with the
/// sequence in front: one line for the user.
llvm::Error forEachSequence(unsigned threads, int64_t begin, int64_t end,
                            llvm::function_ref<llvm::Error(int64_t)> body);

} // namespace ssmq

#endif // SSMQ_LIB_MEASURE_SEQUENCELOOP_H
