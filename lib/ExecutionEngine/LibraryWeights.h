//===- LibraryWeights.h - How a library reaches its weights -----*- C++ -*-===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_LIBRARYWEIGHTS_H
#define SSMQ_LIB_EXECUTIONENGINE_LIBRARYWEIGHTS_H

#include "ssmq/ExecutionEngine/Library.h"
#include "llvm/IR/Module.h"

namespace ssmq {

/// What LibraryRuntime.c calls its own, before it is named after the library.
inline constexpr llvm::StringLiteral kPrefix = "ssmq_library_";

struct LocatedWeight {
  llvm::GlobalVariable *global;
  FileRange range;
};

/// The declared variables that are used, and their bytes, which are there and long enough.
llvm::Expected<std::vector<LocatedWeight>> locateWeights(llvm::Module &module,
                                                         WeightLocator locate);

/// Defines the variables by assembler text that includes the bytes of their files.
void embedWeights(llvm::Module &module, llvm::ArrayRef<LocatedWeight> weights);

/// Makes code read the addresses of the variables from a table. Of embedded weights these are
/// known, and what opens a device replaces them; for others <name>_load_weights fills it, which is
/// told about the files.
llvm::Error referToWeights(llvm::Module &module, llvm::ArrayRef<LocatedWeight> weights,
                           const LibraryOptions &options);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_LIBRARYWEIGHTS_H
