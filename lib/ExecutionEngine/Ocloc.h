//===- Ocloc.h - Intel's compiler for GPUs ----------------------*- C++ -*-===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_OCLOC_H
#define SSMQ_LIB_EXECUTIONENGINE_OCLOC_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace ssmq {

/// What ocloc makes of kernels for devices, as clCreateProgramWithBinary takes it: code of one, or
/// an archive for several. Without ocloc it is empty, and a line on stderr says so.
llvm::Expected<std::string> compileNative(llvm::StringRef spirv,
                                          llvm::ArrayRef<std::string> targets);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_OCLOC_H
