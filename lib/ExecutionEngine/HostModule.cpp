//===- HostModule.cpp - LLVM dialect to optimised LLVM IR -----------------===//

#include "HostModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "ssmq/Support/Target.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/InstSimplifyPass.h"
#include <mutex>

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

Expected<llvm::orc::JITTargetMachineBuilder> ssmq::createTarget(const CompileOptions &options) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });

  Expected<Target> target = resolveTarget(options.cpu, options.features);
  if (!target)
    return target.takeError();
  if (!isHostArchitecture(*target))
    return checkRunsHere(options.cpu);
  llvm::orc::JITTargetMachineBuilder builder((llvm::Triple(llvm::sys::getProcessTriple())));
  builder.setCPU(target->cpu);
  builder.setFeatures(target->features);
  builder.setCodeGenOptLevel(static_cast<llvm::CodeGenOptLevel>(std::min(options.optLevel, 3u)));
  // Weights and libm lie anywhere in the address space: position-independent code reaches them
  // through the global offset table. What is emitted together lies together, so the small code
  // model serves; the default of a JIT is the large one, with an indirect call for each function.
  builder.setRelocationModel(llvm::Reloc::PIC_);
  builder.setCodeModel(llvm::CodeModel::Small);
  return builder;
}

static Error checkEntry(llvm::Module &module, llvm::StringRef name, size_t numArguments) {
  llvm::Function *entry = module.getFunction(name);
  if (!entry || entry->isDeclaration())
    return createStringError("the lowered module defines no %s; run --ssmq-lower-to-cpu",
                             name.str().c_str());
  bool isPlain = entry->getReturnType()->isVoidTy() && !entry->isVarArg() &&
                 entry->arg_size() == numArguments &&
                 llvm::all_of(entry->args(), [](const llvm::Argument &argument) {
                   return argument.getType()->isPointerTy();
                 });
  if (!isPlain)
    return createStringError("%s must return nothing and take %zu memref descriptors (tokens, "
                             "states, logits)",
                             name.str().c_str(), numArguments);
  return Error::success();
}

Expected<std::unique_ptr<llvm::Module>> ssmq::translate(mlir::ModuleOp module,
                                                        const ProgramSignature &signature,
                                                        const llvm::TargetMachine &target,
                                                        llvm::LLVMContext &context,
                                                        bool isFreestanding) {
  mlir::registerBuiltinDialectTranslation(*module.getContext());
  mlir::registerLLVMDialectTranslation(*module.getContext());
  mlir::registerOpenMPDialectTranslation(*module.getContext());

  // The first diagnostic becomes the error, so that callers print one line.
  std::string message;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    if (message.empty() && diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      message = diagnostic.str();
  });
  std::unique_ptr<llvm::Module> result = mlir::translateModuleToLLVMIR(module, context, "ssmq");
  if (!result)
    return createStringError("the module does not translate to LLVM IR: %s", message.c_str());

  result->setTargetTriple(target.getTargetTriple());
  result->setDataLayout(target.createDataLayout());
  std::string broken;
  llvm::raw_string_ostream stream(broken);
  if (llvm::verifyModule(*result, &stream))
    return createStringError("the translated LLVM IR is invalid: %s", broken.c_str());

  size_t numArguments = signature.states.size() + 2 + isFreestanding;
  if (Error error = checkEntry(*result, kForwardEntry, numArguments))
    return error;
  for (llvm::StringRef entry : {kDecodeEntry, kPrefillEntry})
    if (result->getFunction(entry))
      if (Error error = checkEntry(*result, entry, numArguments))
        return error;
  for (llvm::GlobalValue &value : result->global_values())
    if (value.isDeclaration())
      value.setDSOLocal(false);
  return result;
}

void ssmq::addInvoke(llvm::Module &module, llvm::StringRef name, llvm::StringRef entryName) {
  llvm::Function *entry = module.getFunction(entryName);
  llvm::IRBuilder<> builder(module.getContext());
  llvm::Type *pointer = builder.getPtrTy();
  auto *invoke =
      llvm::Function::Create(llvm::FunctionType::get(builder.getVoidTy(), {pointer}, false),
                             llvm::Function::ExternalLinkage, name, module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", invoke));
  llvm::SmallVector<llvm::Value *> arguments;
  for (unsigned i = 0; i < entry->arg_size(); ++i)
    arguments.push_back(builder.CreateLoad(
        pointer, builder.CreateConstInBoundsGEP1_64(pointer, invoke->getArg(0), i)));
  builder.CreateCall(entry, arguments);
  builder.CreateRetVoid();
}

/// Entries are long lists of calls, where the costliest passes, far from linear in the length of a
/// block, find nothing. They are tidied and then left alone.
static void settleEntries(llvm::Module &module, llvm::FunctionAnalysisManager &analyses) {
  static constexpr unsigned kFewestInstructions = 256;
  static constexpr llvm::StringLiteral kWrapperPrefix = "_mlir_ciface_";
  llvm::FunctionPassManager tidy;
  tidy.addPass(llvm::EarlyCSEPass());
  tidy.addPass(llvm::InstSimplifyPass());
  tidy.addPass(llvm::ADCEPass());
  for (llvm::StringRef wrapper : {kForwardEntry, kDecodeEntry, kPrefillEntry})
    for (llvm::StringRef name : {wrapper, wrapper.drop_front(kWrapperPrefix.size())}) {
      llvm::Function *entry = module.getFunction(name);
      // One with loops of its own has work of its own.
      if (!entry || entry->size() != 1 || entry->getInstructionCount() < kFewestInstructions)
        continue;
      tidy.run(*entry, analyses);
      entry->addFnAttr(llvm::Attribute::NoInline);
      entry->addFnAttr(llvm::Attribute::OptimizeNone);
    }
}

void ssmq::optimize(llvm::Module &module, llvm::TargetMachine &target, unsigned level,
                    bool isFreestanding) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&target);
  if (isFreestanding) {
    // Else loops become calls of memset.
    llvm::TargetLibraryInfoImpl library(target.getTargetTriple());
    library.disableAllFunctions();
    functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  }
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);

  const llvm::OptimizationLevel levels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1, llvm::OptimizationLevel::O2,
      llvm::OptimizationLevel::O3};
  llvm::OptimizationLevel chosen = levels[std::min(level, 3u)];
  if (isFreestanding && level > 1)
    chosen = llvm::OptimizationLevel::Os;
  llvm::ModulePassManager passes = level == 0 ? builder.buildO0DefaultPipeline(chosen)
                                              : builder.buildPerModuleDefaultPipeline(chosen);
  if (level > 0 && !isFreestanding)
    settleEntries(module, functions);
  passes.run(module, modules);
}

Error ssmq::resolveWeights(llvm::Module &module, WeightResolver resolver,
                           std::vector<ProgramObject::Weight> &weights) {
  for (llvm::GlobalVariable &global : module.globals()) {
    if (!global.isDeclaration() || global.getName().starts_with("llvm."))
      continue;
    if (global.use_empty())
      continue;
    ProgramObject::Weight weight{global.getName().str(),
                                 module.getDataLayout().getTypeAllocSize(global.getValueType()), 1};
    Expected<Tensor> tensor = resolveWeight(weight, resolver);
    if (!tensor)
      return tensor.takeError();
    // Mapped bytes need not be aligned as their type.
    llvm::Align alignment =
        llvm::commonAlignment(llvm::Align(64), reinterpret_cast<uintptr_t>(tensor->getRawData()));
    global.setAlignment(alignment);
    weight.alignment = alignment.value();
    weights.push_back(std::move(weight));
  }
  return Error::success();
}

Expected<Tensor> ssmq::resolveWeight(const ProgramObject::Weight &weight, WeightResolver resolver) {
  Expected<Tensor> tensor = resolver(weight.name);
  if (!tensor)
    return tensor;
  uint64_t present = *tensor ? tensor->getNumBytes() : 0;
  if (present < weight.numBytes)
    return createStringError("weight '%s' has %llu bytes and the program reads %llu; is the "
                             "checkpoint the one that was imported?",
                             weight.name.c_str(), static_cast<unsigned long long>(present),
                             static_cast<unsigned long long>(weight.numBytes));
  if (reinterpret_cast<uintptr_t>(tensor->getRawData()) & (weight.alignment - 1))
    return createStringError("weight '%s' is not aligned to %llu bytes, as the program expects",
                             weight.name.c_str(),
                             static_cast<unsigned long long>(weight.alignment));
  return tensor;
}

bool ssmq::needsOpenMP(const llvm::Module &module) {
  return llvm::any_of(module.functions(), [](const llvm::Function &function) {
    return function.isDeclaration() && !function.use_empty() &&
           (function.getName().starts_with("__kmpc_") || function.getName().starts_with("omp_"));
  });
}

std::string ssmq::findOpenMPRuntime() {
  for (const char *path :
       {"/usr/lib/llvm-22/lib/libomp.so.5", "/usr/lib/x86_64-linux-gnu/libomp.so.5"})
    if (llvm::sys::fs::exists(path))
      return path;
  return "libomp.so.5";
}
