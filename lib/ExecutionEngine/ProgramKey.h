//===- ProgramKey.h - What machine code follows from ------------*- C++ -*-===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_PROGRAMKEY_H
#define SSMQ_LIB_EXECUTIONENGINE_PROGRAMKEY_H

#include "ObjectCache.h"

namespace ssmq {

/// A hash of the program as it is before `lowering` (a pass pipeline) and of everything else that
/// its machine code depends on: options, the target's features, and the build of ssmq and LLVM in
/// this process. Weights are part of it by name and type. Nullopt when a build cannot be told.
std::optional<ProgramKey> computeKey(mlir::ModuleOp source, llvm::StringRef lowering,
                                     const CompileOptions &options);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_PROGRAMKEY_H
