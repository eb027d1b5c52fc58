//===- Freestanding.h - Objects for machines without a system ---*- C++ -*-===//
//
// Writes a module that was lowered with `freestanding=N` as one relocatable object with its
// weights, and the C99 header of its interface:
//   void NAME_init(NAME_state *);
//   void NAME_step(NAME_state *, NAME_workspace *, const float *features, float *logits);
// The object allocates nothing, has no data that changes, and calls no function but, on processors
// without instructions for them, the compiler's runtime (__aeabi_fadd, ...). The states and the
// workspace are memory of the caller, of sizes that the header states. So the RAM that it takes is
// known: states, workspace and stack.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_EXECUTIONENGINE_FREESTANDING_H
#define SSMQ_EXECUTIONENGINE_FREESTANDING_H

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"
#include "ssmq/ExecutionEngine/CompileOptions.h"

namespace ssmq {

struct FreestandingOptions {
  /// A C identifier; see makeLibraryName (Library.h).
  std::string name;
  /// `threads` and the cache are not used. Levels from 2 on optimise for size.
  CompileOptions compile;
  /// What the module was lowered for.
  int64_t steps = 1;
};

/// The memory of the caller, in bytes. All places are multiples of 8, as memory must be aligned.
struct FreestandingLayout {
  /// Of each state of the signature in turn.
  std::vector<int64_t> stateOffsets;
  int64_t stateBytes = 0, workspaceBytes = 0;
};

/// What an object takes, in bytes.
struct FreestandingSizes {
  uint64_t code = 0;
  /// Weights, and all data that never changes with them: constants of the code too.
  uint64_t weights = 0, readOnly = 0;
  uint64_t state = 0, workspace = 0;
  /// The deepest the stack gets below the caller of NAME_step, without what `helpers` take.
  uint64_t stack = 0;
  /// Functions of the compiler's runtime that it calls.
  std::vector<std::string> helpers;

  uint64_t getRAM() const { return state + workspace + stack; }
};

/// Fails for a module that is not freestanding, and for states that grow with a sequence.
llvm::Expected<FreestandingLayout> getFreestandingLayout(mlir::ModuleOp lowered,
                                                         const ProgramSignature &signature);

/// Fails, and writes nothing, when the object would need more than the compiler's runtime.
llvm::Expected<FreestandingSizes> emitFreestandingObject(mlir::ModuleOp lowered,
                                                         const ProgramSignature &signature,
                                                         WeightResolver weights,
                                                         const FreestandingOptions &options,
                                                         llvm::StringRef path);

llvm::Error emitFreestandingHeader(mlir::ModuleOp lowered, const ProgramSignature &signature,
                                   const FreestandingOptions &options, llvm::StringRef path);

} // namespace ssmq

#endif // SSMQ_EXECUTIONENGINE_FREESTANDING_H
