//===- SpirvModule.h - What a SPIR-V module needs and offers ----*- C++ -*-===//
//
// Reads the kernels of a module with the types of their parameters, and the functions that it
// imports (SPIR-V 1.6 specification, 2.3 "Physical Layout", 3.52 "Instructions"). Every offset is
// checked; nothing else of the module is.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_RUNTIME_OPENCL_SPIRVMODULE_H
#define SSMQ_RUNTIME_OPENCL_SPIRVMODULE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace ssmq {

struct SpirvParameter {
  enum class Kind {
    /// To memory of the device.
    Pointer,
    Number,
    /// To a work-group's memory, a struct, an image: nothing that a launch of ours sets.
    Other
  } kind = Kind::Other;
  /// Of a number.
  int64_t numBytes = 0;
};

struct SpirvKernel {
  std::string name;
  std::vector<SpirvParameter> parameters;
};

class SpirvModule {
public:
  static llvm::Expected<SpirvModule> parse(llvm::StringRef bytes);

  const std::vector<SpirvKernel> &getKernels() const { return kernels; }
  const SpirvKernel *lookup(llvm::StringRef kernel) const;
  /// Names of functions and variables that another module defines.
  const std::vector<std::string> &getImports() const { return imports; }

private:
  std::vector<SpirvKernel> kernels;
  std::vector<std::string> imports;
};

/// The module with each imported name replaced by what `rename` says.
llvm::Expected<std::string>
renameSpirvImports(llvm::StringRef bytes, llvm::function_ref<std::string(llvm::StringRef)> rename);

} // namespace ssmq

#endif // SSMQ_RUNTIME_OPENCL_SPIRVMODULE_H
