//===- SharedLibrary.cpp - Links an emitted library -----------------------===//

#include "HostModule.h"
#include "LibraryModule.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static Expected<std::string> findClang() {
  if (llvm::sys::fs::can_execute(SSMQ_CLANG))
    return SSMQ_CLANG;
  for (const char *name : {"clang-22", "clang"})
    if (llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName(name))
      return *found;
  return makeError("shared libraries are linked by clang and lld, and {0} is not there; install "
                   "clang-22 and lld-22, or emit an object and link it yourself",
                   SSMQ_CLANG);
}

Error ssmq::runTool(llvm::StringRef program, llvm::ArrayRef<llvm::StringRef> arguments,
                    llvm::StringRef log) {
  std::string message;
  int code = llvm::sys::ExecuteAndWait(program, arguments, std::nullopt, {"", log, log},
                                       /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (code == 0)
    return Error::success();
  std::string reason = message;
  if (auto output = llvm::MemoryBuffer::getFile(log)) {
    llvm::SmallVector<llvm::StringRef> lines;
    (*output)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
    auto *line = llvm::find_if(
        lines, [](llvm::StringRef line) { return line.contains_insensitive("error"); });
    if (line != lines.end())
      reason = line->str();
  }
  return makeError("{0} failed with exit code {1}: {2}", program, code, reason);
}

Error ssmq::emitSharedLibrary(mlir::ModuleOp lowered, const ProgramSignature &signature,
                              WeightLocator weights, const LibraryOptions &options,
                              llvm::StringRef path) {
  // Before the work, which takes longer.
  Expected<std::string> clang = findClang();
  if (!clang)
    return clang.takeError();
  Expected<LibraryModule> library = buildLibraryModule(lowered, signature, weights, options);
  if (!library)
    return library.takeError();
  Expected<ScratchFolder> scratch = ScratchFolder::create();
  if (!scratch)
    return scratch.takeError();
  std::string object = scratch->getFile("program.o"), linked = scratch->getFile("program.so");
  if (Error error = writeScratchObject(*library, object))
    return error;

  std::string soname = "-Wl,-soname," + llvm::sys::path::filename(path).str();
  std::string runtime = findOpenMPRuntime();
  llvm::SmallVector<llvm::StringRef> arguments = {
      *clang, "-shared", "-fuse-ld=lld", "-Wl,-z,defs", soname, "-o", linked, object, "-lm"};
  if (library->needsOpenMP)
    arguments.push_back(runtime);
  if (Error error = runTool(*clang, arguments, scratch->getFile("link.log")))
    return error;
  return publish(linked, path);
}
