//===- ssmq-opt.cpp - mlir-opt with the ssm dialect and passes ------------===//

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "ssmq/InitAll.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

/// MLIR's parser, verifier and printer recurse once a nested region or type.
static constexpr unsigned kStackBytes = 1u << 30;
static constexpr int kInternalError = 70;

int main(int argc, char **argv) {
  // First, so that the crash handlers below are the last ones installed.
  llvm::InitLLVM init(argc, argv);
  llvm::CrashRecoveryContext::Enable();

  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::ssm::registerAllDialects(registry);
  mlir::registerAllPasses();
  mlir::ssm::registerAllPasses();

  int exitCode = kInternalError;
  llvm::CrashRecoveryContext context;
  bool finished = context.RunSafelyOnThread(
      [&] {
        exitCode = mlir::asMainReturnCode(
            mlir::MlirOptMain(argc, argv, "ssmq optimizer driver\n", registry));
      },
      kStackBytes);
  if (finished)
    return exitCode;
  llvm::errs() << "ssmq-opt: internal error: MLIR crashed on this input (signal "
               << context.RetCode - 128 << ")\n";
  return kInternalError;
}
