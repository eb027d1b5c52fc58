//===- Backend.h - Modules and the ways to run them -------------*- C++ -*-===//

#ifndef SSMQ_TOOLS_SSMQ_RUN_BACKEND_H
#define SSMQ_TOOLS_SSMQ_RUN_BACKEND_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/ExecutionEngine/Freestanding.h"
#include "ssmq/ExecutionEngine/Library.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/Kernels/KernelOptions.h"
#include "ssmq/Runtime/Profile.h"
#include "ssmq/Transforms/KernelWeights.h"

namespace ssmq {

enum class Backend { Interpreter, Compiled };
enum class Emission { None, Object, SharedLibrary, Header, Spirv };

struct ProfiledProgram {
  std::unique_ptr<Program> program;
  std::vector<ProfiledOp> ops;
};

/// A module of the ssm dialect and its weights.
class Model {
public:
  /// Reads a module, or imports the Hugging Face directory `path`; null after a diagnostic. Weights
  /// are those of `checkpoint` or, when that is empty, of the directory or of the module's
  /// attribute ssm.checkpoint, which is relative to the folder of the file.
  static std::unique_ptr<Model> load(mlir::MLIRContext &context, llvm::StringRef path,
                                     llvm::StringRef checkpoint, llvm::StringRef lowering);

  llvm::Expected<std::unique_ptr<Program>> makeProgram(Backend backend, KernelOptions kernels,
                                                       const CompileOptions &compile) const;

  /// A compiled program whose entries time their ops, and what these are.
  llvm::Expected<ProfiledProgram> makeProfiledProgram(const CompileOptions &compile) const;

  /// Prints what the launches of a GPU move and do, for a prompt of `tokens` tokens and for one
  /// token after it.
  llvm::Error estimate(int64_t tokens, llvm::raw_ostream &stream) const;

  /// Writes the compiled program or its header.
  llvm::Error emit(Emission emission, const LibraryOptions &options, llvm::StringRef path) const;

  /// Writes an object for machines without a system, or its header; prints what the object takes.
  llvm::Error emitFreestanding(Emission emission, const FreestandingOptions &options,
                               llvm::StringRef path, llvm::raw_ostream &report) const;

private:
  llvm::Expected<const WeightStore *> getWeights() const;
  /// Writes the kernels as a driver gets them.
  llvm::Error emitSpirv(mlir::ModuleOp program, llvm::StringRef path) const;
  /// What compiling starts from; fails for a target that there is not.
  llvm::Expected<mlir::ssm::KernelProgram> prepare(const CompileOptions &compile) const;
  llvm::Expected<Tensor> lookup(llvm::StringRef name) const;

  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// Empty when the module names none.
  std::string checkpoint;
  /// Options of getLowering.
  std::string lowering;
  /// Opened at the first weight.
  mutable std::shared_ptr<const WeightStore> weights;
};

} // namespace ssmq

#endif // SSMQ_TOOLS_SSMQ_RUN_BACKEND_H
