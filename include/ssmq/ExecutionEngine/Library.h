//===- Library.h - Programs compiled ahead of time --------------*- C++ -*-===//
//
// Writes a lowered module (see CompiledProgram.h) as an object file or a shared library with a C
// interface, weights included, and the C99 header of that interface. Only the functions of the
// header are visible, all prefixed with the library's name, so that several programs can be linked
// into one executable. Files appear complete or not at all.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_EXECUTIONENGINE_LIBRARY_H
#define SSMQ_EXECUTIONENGINE_LIBRARY_H

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"
#include "ssmq/ExecutionEngine/CompileOptions.h"
#include "ssmq/Support/File.h"

namespace ssmq {

/// Tells where the bytes of the weight with this symbol name lie.
using WeightLocator = llvm::function_ref<llvm::Expected<FileRange>(llvm::StringRef symbol)>;

struct LibraryOptions {
  /// A C identifier; see makeLibraryName.
  std::string name;
  /// `threads` is ignored: the host sets OpenMP's number.
  CompileOptions compile;
  /// Otherwise the host calls <name>_load_weights with the folder of the files that hold them.
  bool embedWeights = true;
  /// The program was lowered for Xe GPUs. Its library opens an OpenCL loader and a device when it
  /// is used (LibraryOpenCL.c), and holds the kernels as SPIR-V.
  bool isForXe = false;
  /// Devices as ocloc names them (lnl, bmg, ...), for which it holds native code too where ocloc is
  /// found ($SSMQ_OCLOC, else the path).
  std::vector<std::string> xeTargets;
};

/// The name of a file without folder and extension as a C identifier.
std::string makeLibraryName(llvm::StringRef path);

/// Writes a relocatable object. Embedded weights are read from their files by the assembler and lie
/// in a section for large data.
llvm::Error emitObject(mlir::ModuleOp lowered, const ProgramSignature &signature,
                       WeightLocator weights, const LibraryOptions &options, llvm::StringRef path);

/// The same, linked to a shared library by clang and lld. Fails when they are not installed.
llvm::Error emitSharedLibrary(mlir::ModuleOp lowered, const ProgramSignature &signature,
                              WeightLocator weights, const LibraryOptions &options,
                              llvm::StringRef path);

/// Writes the header of both.
llvm::Error emitHeader(const ProgramSignature &signature, const LibraryOptions &options,
                       llvm::StringRef path);

} // namespace ssmq

#endif // SSMQ_EXECUTIONENGINE_LIBRARY_H
