//===- Handles.h - What the handles of the C interface hold -----*- C++ -*-===//

#ifndef SSMQ_LIB_CAPI_HANDLES_H
#define SSMQ_LIB_CAPI_HANDLES_H

#include "Status.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/Support/Program.h"
#include <mutex>

namespace ssmq::capi {

struct SharedContext {
  mlir::MLIRContext context;
  /// Held while a module is made, changed or printed: diagnostic handlers and the loading of
  /// dialects belong to the context.
  std::mutex mutex;

  explicit SharedContext(const mlir::DialectRegistry &registry) : context(registry) {}
};

} // namespace ssmq::capi

struct SsmqContext {
  std::shared_ptr<ssmq::capi::SharedContext> shared;
};

// In the structs below the context comes first, so that it is destroyed last.
struct SsmqModule {
  std::shared_ptr<ssmq::capi::SharedContext> shared;
  mlir::OwningOpRef<mlir::ModuleOp> op;
};

struct SsmqProgram {
  std::shared_ptr<ssmq::capi::SharedContext> shared;
  /// What the interpreter reads; compiled programs need none.
  mlir::OwningOpRef<mlir::ModuleOp> op;
  std::unique_ptr<ssmq::Program> program;
};

struct SsmqState {
  ssmq::ProgramState value;
  std::mutex mutex;
};

namespace ssmq::capi {

/// Replaces the module by what the passes make of it, or leaves it as it was.
llvm::Error runPipeline(mlir::OwningOpRef<mlir::ModuleOp> &op, llvm::StringRef pipeline);

/// Runs `body` with the context's mutex held, on a stack deep enough for MLIR's recursive parser
/// and printer. Errors that MLIR reports meanwhile replace the message of a failure.
llvm::Error runInContext(SharedContext &shared, llvm::function_ref<llvm::Error()> body);

} // namespace ssmq::capi

#endif // SSMQ_LIB_CAPI_HANDLES_H
