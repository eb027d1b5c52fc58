//===- ObjectSizes.h - What an object file takes and needs ------*- C++ -*-===//

#ifndef SSMQ_LIB_EXECUTIONENGINE_OBJECTSIZES_H
#define SSMQ_LIB_EXECUTIONENGINE_OBJECTSIZES_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace ssmq {

struct ObjectSizes {
  /// Bytes of sections that are executed, only read, and written.
  uint64_t code = 0, readOnly = 0, writable = 0;
  /// Names that the linker must find elsewhere, sorted.
  std::vector<std::string> undefined;
  /// By function: bytes of its stack frame, from the section .stack_sizes.
  llvm::StringMap<uint64_t> frames;
};

/// Of an ELF object.
llvm::Expected<ObjectSizes> readObjectSizes(llvm::StringRef path);

} // namespace ssmq

#endif // SSMQ_LIB_EXECUTIONENGINE_OBJECTSIZES_H
