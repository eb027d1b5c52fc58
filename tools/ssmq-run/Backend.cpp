//===- Backend.cpp - Modules and the ways to run them ---------------------===//

#include "Backend.h"

#include "mlir/Parser/Parser.h"
#include "ssmq/Conversion/SSMToXe/SSMToXe.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Dialect/SSM/Utils/ProfileTable.h"
#include "ssmq/ExecutionEngine/CompiledProgram.h"
#include "ssmq/ExecutionEngine/Lower.h"
#include "ssmq/Frontend/HuggingFace.h"
#include "ssmq/Pipelines/LowerToCPU.h"
#include "ssmq/Reference/InterpreterProgram.h"
#include "ssmq/Runtime/OpenCL/SpirvModule.h"
#include "ssmq/Runtime/OpenCL/SubgroupFunctions.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Target.h"
#include "ssmq/Target/Xe2/Xe2.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

/// The checkpoint that a module of a file names, relative to the folder of the file.
static std::string findCheckpoint(mlir::ModuleOp module, llvm::StringRef file) {
  auto named = module->getAttrOfType<mlir::StringAttr>(mlir::ssm::SSMDialect::kCheckpointAttrName);
  if (!named || llvm::sys::path::is_absolute(named.getValue()))
    return named ? named.str() : "";
  llvm::SmallString<128> path(llvm::sys::path::parent_path(file));
  llvm::sys::path::append(path, named.getValue());
  return path.str().str();
}

std::unique_ptr<Model> Model::load(mlir::MLIRContext &context, llvm::StringRef path,
                                   llvm::StringRef checkpoint, llvm::StringRef lowering) {
  auto model = std::make_unique<Model>();
  model->lowering = lowering.str();
  if (llvm::sys::fs::is_directory(path)) {
    auto imported = mlir::ssm::importHuggingFace(&context, path);
    if (failed(imported))
      return nullptr;
    model->module = std::move(*imported);
    model->checkpoint = path.str();
  } else {
    model->module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context);
    if (!model->module)
      return nullptr;
    model->checkpoint = findCheckpoint(*model->module, path);
  }
  if (!checkpoint.empty())
    model->checkpoint = checkpoint.str();
  return model;
}

Expected<const WeightStore *> Model::getWeights() const {
  if (!weights) {
    if (checkpoint.empty())
      return makeError("the module names no checkpoint in ssm.checkpoint; give --checkpoint");
    Expected<WeightStore> store = WeightStore::open(checkpoint);
    if (!store)
      return store.takeError();
    weights = std::make_shared<const WeightStore>(std::move(*store));
  }
  return weights.get();
}

Expected<mlir::ssm::KernelProgram> Model::prepare(const CompileOptions &compile) const {
  // Told here, a wrong target is one line without the place of a pass.
  if (Error error = resolveTarget(compile.cpu, compile.features).takeError())
    return error;
  auto lookup = [this](llvm::StringRef name) { return this->lookup(name); };
  auto prepared = mlir::ssm::prepareForKernels(
      *module, lookup, {compile.threads, compile.integerScans && !compile.device, compile.explain});
  if (failed(prepared))
    return makeError("the weights cannot be prepared for kernels");
  return std::move(*prepared);
}

Expected<Tensor> Model::lookup(llvm::StringRef name) const {
  Expected<const WeightStore *> store = getWeights();
  if (!store)
    return store.takeError();
  return (*store)->lookup(name);
}

Expected<ProfiledProgram> Model::makeProfiledProgram(const CompileOptions &compile) const {
  Expected<mlir::ssm::KernelProgram> kernels = prepare(compile);
  if (!kernels)
    return kernels.takeError();
  Expected<ProgramSignature> signature = mlir::ssm::readCompiledSignature(*kernels->module);
  if (!signature)
    return signature.takeError();
  if (Error error = lower(*kernels->module, getLowering(compile, "profile=true " + lowering)))
    return error;
  auto program =
      CompiledProgram::compile(*kernels->module, std::move(*signature), kernels->weights, compile);
  if (!program)
    return program.takeError();
  return ProfiledProgram{std::move(*program), mlir::ssm::getProfileTable(*kernels->module)};
}

Expected<std::unique_ptr<Program>> Model::makeProgram(Backend backend, KernelOptions kernels,
                                                      const CompileOptions &compile) const {
  if (backend == Backend::Interpreter) {
    auto lookup = [this](llvm::StringRef name) { return this->lookup(name); };
    auto program = mlir::ssm::InterpreterProgram::create(*module, lookup, kernels);
    if (failed(program))
      return makeError("the program cannot be interpreted");
    return std::move(*program);
  }
  Expected<mlir::ssm::KernelProgram> prepared = prepare(compile);
  if (!prepared)
    return prepared.takeError();
  Expected<ProgramSignature> signature = mlir::ssm::readCompiledSignature(*prepared->module);
  if (!signature)
    return signature.takeError();
  return CompiledProgram::compileSource(*prepared->module, std::move(*signature),
                                        getLowering(compile, lowering), prepared->weights, compile);
}

/// Writes weights to a new file beside `path`; its name.
static Expected<std::string> writeBeside(llvm::StringRef path, llvm::ArrayRef<LazyTensor> tensors) {
  llvm::SmallString<128> file;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(path + "-%%%%%%%%.safetensors", file))
    return makeError("cannot write beside {0}: {1}", path, code.message());
  if (Error error = writeSafetensors(file, tensors)) {
    llvm::sys::fs::remove(file);
    return error;
  }
  return file.str().str();
}

Error Model::estimate(int64_t tokens, llvm::raw_ostream &stream) const {
  mlir::OwningOpRef<mlir::ModuleOp> launches = module.get().clone();
  if (Error error = ssmq::lower(*launches, "ssmq-pack,ssmq-xe-launches{" + lowering + "}"))
    return error;
  auto print = [&](llvm::StringRef entry, llvm::StringRef title, int64_t count,
                   int64_t position) -> Error {
    auto function = launches->lookupSymbol<mlir::func::FuncOp>(entry);
    if (!function)
      return makeError("the program has no @{0} to estimate", entry);
    auto counts = mlir::ssm::countLaunches(function, count, position);
    if (failed(counts))
      return makeError("what @{0} does cannot be counted", entry);
    mlir::ssm::printEstimate(title, *counts, stream);
    return Error::success();
  };
  if (tokens > 1)
    if (Error error = print("prefill", llvm::formatv("prompt of {0} tokens", tokens).str(), tokens,
                            /*position=*/0))
      return error;
  return print("decode", llvm::formatv("one token after {0}", tokens).str(), 1, tokens);
}

Error Model::emitSpirv(mlir::ModuleOp program, llvm::StringRef path) const {
  if (Error error = lower(program, getXeLowering(/*device=*/nullptr, lowering)))
    return error;
  Expected<std::string> spirv =
      renameSpirvImports(mlir::ssm::getKernelSpirv(program), getExtensionSpelling);
  if (!spirv)
    return spirv.takeError();
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    stream << *spirv;
    return Error::success();
  });
}

Error Model::emit(Emission emission, const LibraryOptions &options, llvm::StringRef path) const {
  Expected<ProgramSignature> signature = mlir::ssm::readCompiledSignature(*module);
  if (!signature)
    return signature.takeError();
  if (emission == Emission::Header)
    return emitHeader(*signature, options, path);
  if (Error error = resolveTarget(options.compile.cpu, options.compile.features).takeError())
    return error;
  // Weights that stay in the user's files stay as they are.
  mlir::OwningOpRef<mlir::ModuleOp> program;
  std::optional<WeightStore> changed;
  llvm::FileRemover remover;
  if (options.embedWeights) {
    Expected<mlir::ssm::KernelProgram> prepared = prepare(options.compile);
    if (!prepared)
      return prepared.takeError();
    program = std::move(prepared->module);
    if (!prepared->changed.empty()) {
      Expected<std::string> file = writeBeside(path, prepared->changed);
      if (!file)
        return file.takeError();
      remover.setFile(*file);
      Expected<WeightStore> store = WeightStore::open(*file);
      if (!store)
        return store.takeError();
      changed = std::move(*store);
    }
  } else {
    program = module.get().clone();
  }
  if (emission == Emission::Spirv)
    return emitSpirv(*program, path);
  // States of integer scans have another type.
  signature = mlir::ssm::readCompiledSignature(*program);
  if (!signature)
    return signature.takeError();
  if (Error error = lower(*program, options.isForXe ? getXeLowering(/*device=*/nullptr, lowering)
                                                    : getLowering(options.compile, lowering)))
    return error;
  auto locate = [&](llvm::StringRef name) -> Expected<FileRange> {
    if (changed && changed->contains(name))
      return changed->locate(name);
    Expected<const WeightStore *> store = getWeights();
    if (!store)
      return store.takeError();
    return (*store)->locate(name);
  };
  return (emission == Emission::Object ? emitObject : emitSharedLibrary)(*program, *signature,
                                                                         locate, options, path);
}
