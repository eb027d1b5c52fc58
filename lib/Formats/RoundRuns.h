//===- RoundRuns.h - Rounds all runs of a value -----------------*- C++ -*-===//

#ifndef SSMQ_LIB_FORMATS_ROUNDRUNS_H
#define SSMQ_LIB_FORMATS_ROUNDRUNS_H

#include "ssmq/Formats/Numerics.h"
#include "ssmq/Formats/Sharing.h"

namespace ssmq {

/// Rounds the values at `from` into `to`, which is the same array or another one.
RunFault roundDynamic(const Numerics &numerics, const Runs &runs, const float *from,
                      llvm::MutableArrayRef<float> to, unsigned threads);

/// The same with one grid a scale.
RunFault roundStatic(const Numerics &numerics, const Runs &runs, llvm::ArrayRef<RunGrid> grids,
                     const float *from, llvm::MutableArrayRef<float> to, unsigned threads);

} // namespace ssmq

#endif // SSMQ_LIB_FORMATS_ROUNDRUNS_H
