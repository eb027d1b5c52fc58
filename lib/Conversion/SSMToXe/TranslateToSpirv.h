//===- TranslateToSpirv.h - LLVM IR to SPIR-V -------------------*- C++ -*-===//

#ifndef SSMQ_LIB_CONVERSION_SSMTOXE_TRANSLATETOSPIRV_H
#define SSMQ_LIB_CONVERSION_SSMTOXE_TRANSLATETOSPIRV_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

namespace llvm {
class Module;
} // namespace llvm

namespace mlir::ssm {

/// The binary of a module of kernels, which it changes on the way. May be called from any thread.
llvm::Expected<llvm::SmallVector<char, 0>> translateToSpirv(llvm::Module &module,
                                                            const llvm::Triple &triple);

} // namespace mlir::ssm

#endif // SSMQ_LIB_CONVERSION_SSMTOXE_TRANSLATETOSPIRV_H
