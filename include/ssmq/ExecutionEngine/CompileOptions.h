//===- CompileOptions.h - How programs are compiled -------------*- C++ -*-===//

#ifndef SSMQ_EXECUTIONENGINE_COMPILEOPTIONS_H
#define SSMQ_EXECUTIONENGINE_COMPILEOPTIONS_H

#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace ssmq {

class Device;

struct CompileOptions {
  /// 0 to 3, as -O of clang.
  unsigned optLevel = 3;
  /// Target and changes to its features as resolveTarget takes them (Support/Target.h); those that
  /// the module was lowered for, or older ones.
  std::string cpu, features;
  /// OpenMP threads of one forward call; 0 leaves the runtime's choice.
  unsigned threads = 0;
  /// Whether machine code is taken from, and kept in, the cache on disk; docs/Deploying.md tells
  /// where. Options that change the code belong into ProgramKey.cpp.
  bool useCache = true;
  /// Whether scans of integers run in integers where they can, and whether a remark tells of each.
  bool integerScans = true, explain = false;
  /// Where a program that was lowered for Xe GPUs launches its kernels, which serves no other; null
  /// for programs of the CPU.
  std::shared_ptr<Device> device;
};

/// Gives the bytes of the weight with this symbol name, which is its name in the checkpoint.
using WeightResolver = llvm::function_ref<llvm::Expected<Tensor>(llvm::StringRef symbol)>;

} // namespace ssmq

#endif // SSMQ_EXECUTIONENGINE_COMPILEOPTIONS_H
