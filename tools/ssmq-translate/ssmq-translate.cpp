//===- ssmq-translate.cpp - Checkpoints to the ssm dialect ----------------===//

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "ssmq/Frontend/HuggingFace.h"
#include "ssmq/InitAll.h"
#include "ssmq/Support/File.h"
#include "ssmq/Support/Tool.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

namespace cl = llvm::cl;

static llvm::Error print(mlir::ModuleOp module, bool bytecode, llvm::raw_ostream &os) {
  if (!bytecode)
    module->print(os);
  else if (failed(mlir::writeBytecodeToFile(module, os)))
    return llvm::createStringError("the module cannot be written as bytecode");
  return llvm::Error::success();
}

/// Remarks and warnings are printed too, which MLIR leaves to whoever listens.
static void report(mlir::Diagnostic &diagnostic) {
  bool isError = diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
  auto color = isError ? llvm::HighlightColor::Error : llvm::HighlightColor::Remark;
  llvm::WithColor(llvm::errs(), color) << (isError ? "error: " : "remark: ");
  llvm::errs() << diagnostic.str() << "\n";
}

/// Imports and writes; returns the exit code.
static int importCheckpoint(llvm::StringRef directory, llvm::StringRef output, bool bytecode) {
  mlir::DialectRegistry registry;
  mlir::ssm::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::ScopedDiagnosticHandler handler(&context, report);
  auto module = mlir::ssm::importHuggingFace(&context, directory);
  if (failed(module))
    return ssmq::ExitInput;

  llvm::Error error = llvm::Error::success();
  if (output == "-")
    error = print(**module, bytecode, llvm::outs());
  else
    error = ssmq::writeFileAtomically(
        output, [&](llvm::raw_ostream &os) { return print(**module, bytecode, os); });
  if (error) {
    llvm::WithColor::error(llvm::errs()) << toString(std::move(error)) << "\n";
    return ssmq::ExitInput;
  }
  return ssmq::ExitOk;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::OptionCategory category("ssmq-translate options");
  cl::opt<std::string> directory(
      "import-hf", cl::cat(category), cl::value_desc("directory"),
      cl::desc("Import a Hugging Face checkpoint: config.json and *.safetensors"));
  cl::opt<std::string> output("o", cl::cat(category), cl::value_desc("file"), cl::init("-"),
                              cl::desc("Where to write the module (default: standard output)"));
  cl::opt<bool> bytecode("emit-bytecode", cl::cat(category),
                         cl::desc("Write MLIR bytecode instead of text"));
  mlir::registerAsmPrinterCLOptions();
  cl::HideUnrelatedOptions(category);
  if (!cl::ParseCommandLineOptions(argc, argv, "Translates checkpoints to the ssm dialect\n",
                                   &llvm::errs()))
    return ssmq::ExitUsage;
  if (directory.empty()) {
    llvm::WithColor::error(llvm::errs())
        << "nothing to do: name a checkpoint with --import-hf DIRECTORY\n";
    return ssmq::ExitUsage;
  }

  return ssmq::runTool("ssmq-translate",
                       [&] { return importCheckpoint(directory, output, bytecode); });
}
