//===- ObjectFile.cpp - Machine code of an emitted library ----------------===//

#include "LibraryModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

Expected<ScratchFolder> ScratchFolder::create() {
  llvm::SmallString<128> path;
  if (std::error_code code = llvm::sys::fs::createUniqueDirectory("ssmq", path))
    return makeError("cannot make a folder for intermediate files: {0}", code.message());
  return ScratchFolder(path.str().str());
}

ScratchFolder::~ScratchFolder() {
  if (!path.empty())
    llvm::sys::fs::remove_directories(path);
}

Error ssmq::writeScratchObject(LibraryModule &library, llvm::StringRef path) {
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code)
    return makeError("cannot write {0}: {1}", path, code.message());

  // LLVM's own handler would end the process, say when a weight file cannot be read.
  std::string problem;
  library.context->setDiagnosticHandlerCallBack(
      [](const llvm::DiagnosticInfo *info, void *text) {
        auto &problem = *static_cast<std::string *>(text);
        if (info->getSeverity() != llvm::DS_Error || !problem.empty())
          return;
        llvm::raw_string_ostream stream(problem);
        llvm::DiagnosticPrinterRawOStream printer(stream);
        info->print(printer);
      },
      &problem);
  llvm::legacy::PassManager passes;
  if (library.target->addPassesToEmitFile(passes, stream, nullptr,
                                          llvm::CodeGenFileType::ObjectFile))
    return makeError("LLVM cannot write object files for {0}",
                     library.target->getTargetTriple().str());
  passes.run(*library.module);
  stream.close();
  code = stream.error();
  stream.clear_error();
  if (!problem.empty())
    return makeError("code generation failed: {0}", problem);
  if (code)
    return makeError("cannot write {0}: {1}", path, code.message());
  return Error::success();
}

Error ssmq::publish(llvm::StringRef scratchFile, llvm::StringRef path) {
  Expected<std::shared_ptr<const MappedFile>> file = MappedFile::open(scratchFile);
  if (!file)
    return file.takeError();
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    stream << (*file)->getBytes();
    return Error::success();
  });
}

Error ssmq::emitObject(mlir::ModuleOp lowered, const ProgramSignature &signature,
                       WeightLocator weights, const LibraryOptions &options, llvm::StringRef path) {
  Expected<LibraryModule> library = buildLibraryModule(lowered, signature, weights, options);
  if (!library)
    return library.takeError();
  Expected<ScratchFolder> scratch = ScratchFolder::create();
  if (!scratch)
    return scratch.takeError();
  std::string object = scratch->getFile("program.o");
  if (Error error = writeScratchObject(*library, object))
    return error;
  return publish(object, path);
}
