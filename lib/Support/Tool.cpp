//===- Tool.cpp - What the command line tools have in common --------------===//

#include "ssmq/Support/Tool.h"

#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/raw_ostream.h"
#include <new>

/// MLIR's parser, verifier and printer recurse once a nested region or type. Reserved, not used.
static constexpr unsigned kStackBytes = 1u << 30;

ssmq::ExitCode ssmq::getExitCode(std::error_code code, llvm::StringRef message) {
  if (code == std::errc::invalid_argument)
    return ExitUsage;
  for (std::errc resource :
       {std::errc::not_enough_memory, std::errc::no_such_device, std::errc::io_error,
        std::errc::no_space_on_device, std::errc::file_too_large, std::errc::too_many_files_open,
        std::errc::too_many_files_open_in_system})
    if (code == resource || message.contains(std::make_error_code(resource).message()))
      return ExitResource;
  return ExitInput;
}

int ssmq::runTool(llvm::StringRef name, llvm::function_ref<int()> body) {
  llvm::CrashRecoveryContext::Enable();
  int exitCode = ExitInternal;
  llvm::CrashRecoveryContext context;
  bool finished = context.RunSafelyOnThread(
      [&] {
        try {
          exitCode = body();
        } catch (const std::bad_alloc &) {
          llvm::errs() << name << ": out of memory\n";
          exitCode = ExitResource;
        }
      },
      kStackBytes);
  if (finished)
    return exitCode;
  llvm::errs() << name << ": internal error: MLIR crashed on this input (signal "
               << context.RetCode - 128 << ")\n";
  return ExitInternal;
}
