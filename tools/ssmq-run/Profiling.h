//===- Profiling.h - Where the time of a program goes -----------*- C++ -*-===//

#ifndef SSMQ_TOOLS_SSMQ_RUN_PROFILING_H
#define SSMQ_TOOLS_SSMQ_RUN_PROFILING_H

#include "Backend.h"

namespace ssmq {

struct ProfilingOptions {
  /// One by one after the prompt.
  int64_t numTokens = 32;
  /// Where the trace goes; empty for none.
  std::string trace;
};

/// Feeds the prompt several times and the likeliest tokens after it (of features, their steps from
/// the first on); prints sums of all steps but those of a first run.
llvm::Error profile(const Model &model, const Tensor &prompt, const CompileOptions &compile,
                    const ProfilingOptions &options);

} // namespace ssmq

#endif // SSMQ_TOOLS_SSMQ_RUN_PROFILING_H
