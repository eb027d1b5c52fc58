//===- Ocloc.cpp - Intel's compiler for GPUs ------------------------------===//

#include "Ocloc.h"

#include "LibraryModule.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

Expected<std::string> ssmq::compileNative(llvm::StringRef spirv,
                                          llvm::ArrayRef<std::string> targets) {
  llvm::ErrorOr<std::string> onPath = llvm::sys::findProgramByName("ocloc");
  std::string ocloc = llvm::sys::Process::GetEnv("SSMQ_OCLOC").value_or("");
  if (ocloc.empty() && onPath)
    ocloc = *onPath;
  if (!llvm::sys::fs::can_execute(ocloc)) {
    llvm::WithColor::warning(llvm::errs(), "ssmq")
        << "there is no ocloc: the library has SPIR-V only, which drivers compile when it is "
           "loaded\n";
    return std::string();
  }
  Expected<ScratchFolder> scratch = ScratchFolder::create();
  if (!scratch)
    return scratch.takeError();
  std::string input = scratch->getFile("kernels.spv"), output = scratch->getFile("kernels.bin"),
              devices = llvm::join(targets, ",");
  std::error_code code;
  llvm::raw_fd_ostream stream(input, code);
  if (code)
    return makeError("cannot write {0}: {1}", input, code.message());
  stream << spirv;
  stream.close();
  if (Error error = runTool(ocloc,
                            {ocloc, "compile", "-spirv_input", "-file", input, "-device", devices,
                             "-output", output, "-output_no_suffix"},
                            scratch->getFile("ocloc.log")))
    return error;
  // Newer versions end the name as they like.
  for (const char *suffix : {"", ".bin", ".ar"})
    if (auto bytes = MappedFile::open(output + suffix))
      return (*bytes)->getBytes().str();
    else
      llvm::consumeError(bytes.takeError());
  return makeError("{0} wrote no {1}", ocloc, output);
}
