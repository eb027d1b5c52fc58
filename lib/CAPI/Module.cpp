//===- Module.cpp - Modules of the C interface ----------------------------===//

#include "Handles.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Frontend/HuggingFace.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::StringRef;

static SsmqModule *makeModule(const std::shared_ptr<capi::SharedContext> &shared,
                              mlir::OwningOpRef<mlir::ModuleOp> op) {
  return new SsmqModule{shared, std::move(op)};
}

SsmqStatus ssmqModuleImportHuggingFace(SsmqContext *context, const char *directory,
                                       SsmqModule **module) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({context, directory, module}))
      return error;
    return capi::runInContext(*context->shared, [&]() -> Error {
      auto op = mlir::ssm::importHuggingFace(&context->shared->context, directory);
      if (failed(op))
        return createStringError("%s cannot be imported", directory);
      *module = makeModule(context->shared, std::move(*op));
      return Error::success();
    });
  });
}

SsmqStatus ssmqModuleParse(SsmqContext *context, const char *data, size_t size, const char *name,
                           SsmqModule **module) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({context, data, name, module}))
      return error;
    return capi::runInContext(*context->shared, [&]() -> Error {
      // MLIR's lexer wants a zero after the text.
      auto buffer = llvm::MemoryBuffer::getMemBufferCopy(StringRef(data, size), name);
      llvm::SourceMgr sources;
      sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
      auto op = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context->shared->context);
      if (!op)
        return createStringError("%s is not an MLIR module", name);
      *module = makeModule(context->shared, std::move(op));
      return Error::success();
    });
  });
}

SsmqStatus ssmqModuleClone(SsmqModule *module, SsmqModule **clone) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({module, clone}))
      return error;
    std::lock_guard<std::mutex> lock(module->shared->mutex);
    *clone = makeModule(module->shared, module->op->clone());
    return Error::success();
  });
}

void ssmqModuleDestroy(SsmqModule *module) {
  if (!module)
    return;
  std::shared_ptr<capi::SharedContext> shared = module->shared;
  std::lock_guard<std::mutex> lock(shared->mutex);
  delete module;
}

SsmqStatus ssmqModuleSetCheckpoint(SsmqModule *module, const char *path) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({module, path}))
      return error;
    std::lock_guard<std::mutex> lock(module->shared->mutex);
    (*module->op)
        ->setAttr(mlir::ssm::SSMDialect::kCheckpointAttrName,
                  mlir::StringAttr::get(&module->shared->context, path));
    return Error::success();
  });
}

SsmqStatus ssmqModuleRunPipeline(SsmqModule *module, const char *pipeline) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({module, pipeline}))
      return error;
    return capi::runInContext(*module->shared,
                              [&] { return capi::runPipeline(module->op, pipeline); });
  });
}

Error capi::runPipeline(mlir::OwningOpRef<mlir::ModuleOp> &op, StringRef pipeline) {
  StringRef anchor = mlir::ModuleOp::getOperationName();
  StringRef body = pipeline.trim();
  if (body.consume_front(anchor)) {
    body = body.ltrim();
    if (!body.consume_front("(") || !body.consume_back(")"))
      return usageError("pipeline '" + pipeline + "': brackets are missing after " + anchor);
  }

  mlir::PassManager passes(op->getContext(), anchor);
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (failed(mlir::parsePassPipeline(body, passes, stream))) {
    // "place: error: reason", then lines that show the place.
    StringRef reason = StringRef(message).split('\n').first.rsplit("error: ").second;
    return usageError("pipeline '" + pipeline + "': " + reason);
  }
  // A failed pass leaves its input half changed.
  mlir::OwningOpRef<mlir::ModuleOp> changed = op->clone();
  if (failed(passes.run(*changed)))
    return createStringError("a pass of '" + pipeline + "' failed and did not say why");
  op = std::move(changed);
  return Error::success();
}

/// Lets `write` fill a text in the context, then hands it to the callback on this thread.
static SsmqStatus emit(SsmqModule *module, SsmqBytesCallback callback, void *userData,
                       llvm::function_ref<Error(llvm::raw_ostream &)> write) {
  return capi::guard([&]() -> Error {
    if (Error error = capi::checkPointers({module, reinterpret_cast<const void *>(callback)}))
      return error;
    std::string text;
    llvm::raw_string_ostream stream(text);
    if (Error error = capi::runInContext(*module->shared, [&] { return write(stream); }))
      return error;
    callback(text.data(), text.size(), userData);
    return Error::success();
  });
}

SsmqStatus ssmqModulePrint(SsmqModule *module, SsmqBytesCallback callback, void *userData) {
  return emit(module, callback, userData, [&](llvm::raw_ostream &stream) {
    module->op->print(stream);
    return Error::success();
  });
}

SsmqStatus ssmqModuleWriteBytecode(SsmqModule *module, SsmqBytesCallback callback, void *userData) {
  return emit(module, callback, userData, [&](llvm::raw_ostream &stream) -> Error {
    if (failed(mlir::writeBytecodeToFile(*module->op, stream)))
      return createStringError("the module does not fit bytecode");
    return Error::success();
  });
}
