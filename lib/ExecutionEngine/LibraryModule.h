//===- LibraryModule.h - The LLVM module of an emitted library --*- C++ -*-===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_LIBRARYMODULE_H
#define SSMQ_LIB_EXECUTIONENGINE_LIBRARYMODULE_H

#include "ssmq/ExecutionEngine/Library.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace ssmq {

struct LibraryModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<llvm::TargetMachine> target;
  bool needsOpenMP = false;
};

/// The optimised program with its C interface; weights are read by assembler text of the module.
llvm::Expected<LibraryModule> buildLibraryModule(mlir::ModuleOp lowered,
                                                 const ProgramSignature &signature,
                                                 WeightLocator weights,
                                                 const LibraryOptions &options);

/// A folder for intermediate files that disappears with the object.
class ScratchFolder {
public:
  static llvm::Expected<ScratchFolder> create();
  ScratchFolder(ScratchFolder &&other) : path(std::move(other.path)) { other.path.clear(); }
  ~ScratchFolder();
  std::string getFile(llvm::StringRef name) const { return path + "/" + name.str(); }

private:
  explicit ScratchFolder(std::string path) : path(std::move(path)) {}
  std::string path;
};

/// Writes the machine code of the module to a file that is not seen by others yet.
llvm::Error writeScratchObject(LibraryModule &library, llvm::StringRef path);

/// Gives a scratch file its final name on any file system.
llvm::Error publish(llvm::StringRef scratchFile, llvm::StringRef path);

/// Runs a program that writes to `log`; a failure tells the first line of it that speaks of an
/// error.
llvm::Error runTool(llvm::StringRef program, llvm::ArrayRef<llvm::StringRef> arguments,
                    llvm::StringRef log);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_LIBRARYMODULE_H
