//===- LibraryKernels.h - The kernels of an emitted library -----*- C++ -*-===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_LIBRARYKERNELS_H
#define SSMQ_LIB_EXECUTIONENGINE_LIBRARYKERNELS_H

#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace ssmq {

/// Defines what LibraryOpenCL.c asks about the kernels, and lets launches name them by their entry
/// of its table. `targets` are devices as ocloc names them, whose native code is put in as well.
llvm::Error describeKernels(llvm::Module &module, llvm::ArrayRef<std::string> targets);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_LIBRARYKERNELS_H
