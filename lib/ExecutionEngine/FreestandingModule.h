//===- FreestandingModule.h - The LLVM module of a small object -*- C++ -*-===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_FREESTANDINGMODULE_H
#define SSMQ_LIB_EXECUTIONENGINE_FREESTANDINGMODULE_H

#include "LibraryModule.h"
#include "ssmq/ExecutionEngine/Freestanding.h"

namespace ssmq {

/// For processors of other families too, with sizes of stack frames in the object.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createFreestandingTarget(const CompileOptions &options);

/// The optimised program with its C interface and its weights.
llvm::Expected<LibraryModule> buildFreestandingModule(mlir::ModuleOp lowered,
                                                      const ProgramSignature &signature,
                                                      WeightResolver weights,
                                                      const FreestandingOptions &options,
                                                      FreestandingSizes &sizes);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_FREESTANDINGMODULE_H
