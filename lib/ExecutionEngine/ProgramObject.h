//===- ProgramObject.h - Machine code of a program, unbound -----*- C++ -*-===//
//
// What a lowered module is compiled to before its weights have addresses: a relocatable object and
// what must be known to link it. It depends on nothing of this process, so that it can be kept on
// disk.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_PROGRAMOBJECT_H
#define SSMQ_LIB_EXECUTIONENGINE_PROGRAMOBJECT_H

#include "ssmq/Dialect/SSM/Utils/ProgramSignature.h"
#include "ssmq/ExecutionEngine/CompileOptions.h"
#include "llvm/Support/MemoryBuffer.h"

namespace ssmq {

/// Functions `void(void *const *descriptors)` that an object defines: the first always.
inline constexpr llvm::StringLiteral kInvokeForward = "ssmq_invoke_forward";
inline constexpr llvm::StringLiteral kInvokeDecode = "ssmq_invoke_decode";
inline constexpr llvm::StringLiteral kInvokePrefill = "ssmq_invoke_prefill";

struct ProgramObject {
  /// A symbol that the code refers to: at least this many bytes at this alignment (a power of two).
  struct Weight {
    std::string name;
    uint64_t numBytes = 0, alignment = 1;
  };
  std::vector<Weight> weights;
  /// Those of the functions above that there are.
  std::vector<std::string> entries;
  /// Of the constant kSpirvSymbol (Runtime/OpenCL/Launch.h); 0 where there is none.
  uint64_t numSpirvBytes = 0;
  /// Whether it calls LLVM's OpenMP runtime.
  bool isThreaded = false;
  std::unique_ptr<llvm::MemoryBuffer> code;
};

/// Compiles a lowered module. The bytes of its weights are looked at for their addresses only: code
/// relies on their alignment.
llvm::Expected<ProgramObject> compileObject(mlir::ModuleOp lowered,
                                            const ProgramSignature &signature,
                                            WeightResolver weights, const CompileOptions &options);

/// As one block of bytes, and back; fails when the bytes are not whole.
std::string serialize(const ProgramObject &object);
llvm::Expected<ProgramObject> parseObject(llvm::StringRef bytes);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_PROGRAMOBJECT_H
