//===- Tool.h - What the command line tools have in common ------*- C++ -*-===//
//
// Exit codes of all tools, and how a tool survives input that exhausts the stack or crashes MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_TOOL_H
#define SSMQ_SUPPORT_TOOL_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <system_error>

namespace ssmq {

enum ExitCode : int {
  ExitOk = 0,
  /// A file, a text or a model says something that cannot be used.
  ExitInput = 1,
  ExitUsage = 2,
  /// Out of memory or disk space; no device, or a driver that fails.
  ExitResource = 3,
  /// A defect of ours or of MLIR's.
  ExitInternal = 70
};

/// Of an error with this code. An error that came through MLIR's diagnostics kept the system's
/// words in its message and lost its code.
ExitCode getExitCode(std::error_code code, llvm::StringRef message);

/// Runs `body` on a stack for deeply nested input and returns its exit code; a crash of it becomes
/// ExitInternal and a failed allocation ExitResource, each with one line on stderr. Call it once,
/// after llvm::InitLLVM, so that its signal handlers are the last ones installed.
int runTool(llvm::StringRef name, llvm::function_ref<int()> body);

} // namespace ssmq

#endif // SSMQ_SUPPORT_TOOL_H
