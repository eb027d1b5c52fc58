//===- LibraryModule.cpp - The LLVM module of an emitted library ----------===//

#include "LibraryModule.h"

#include "HostModule.h"
#include "LibraryKernels.h"
#include "LibraryWeights.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Support/Error.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/Constants.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static constexpr llvm::StringLiteral kRuntime =
#include "LibraryRuntime.ll.inc"
    ;
static constexpr llvm::StringLiteral kHostMemory =
#include "LibraryHost.ll.inc"
    ;
/// Empty when ssmq was built without OpenCL's headers.
static constexpr llvm::StringLiteral kDeviceMemory =
#ifdef SSMQ_HAS_OPENCL
#include "LibraryOpenCL.ll.inc"
#else
    ""
#endif
    ;

/// Defines what the runtime asks about the program; a dimension of -1 is the capacity.
static void describe(llvm::Module &module, const ProgramSignature &signature, bool hasPrefill) {
  llvm::Type *word = llvm::Type::getInt64Ty(module.getContext());
  auto define = [&](llvm::Constant *value, const llvm::Twine &name) {
    return new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                    llvm::GlobalValue::ExternalLinkage, value, name);
  };
  auto makeWord = [&](int64_t value) { return llvm::ConstantInt::getSigned(word, value); };
  define(makeWord(signature.vocabSize), kPrefix + "vocab");
  define(makeWord(signature.numIds), kPrefix + "num_ids");
  define(makeWord(hasPrefill), kPrefix + "has_prefill");
  define(makeWord(signature.states.size()), kPrefix + "num_states");
  std::vector<llvm::Constant *> layouts;
  for (const StateSignature &state : signature.states) {
    std::vector<uint64_t> dims;
    for (int64_t dim : state.shape)
      dims.push_back(mlir::ShapedType::isDynamic(dim) ? -1 : dim);
    auto *table = define(llvm::ConstantDataArray::get(module.getContext(), dims), kPrefix + "dims");
    layouts.push_back(llvm::ConstantStruct::getAnon(
        {makeWord(getBitWidth(state.type) / 8), makeWord(dims.size()), table}));
  }
  auto *layout = llvm::StructType::get(word, word, llvm::PointerType::get(module.getContext(), 0));
  define(llvm::ConstantArray::get(llvm::ArrayType::get(layout, layouts.size()), layouts),
         kPrefix + "layouts");
}

/// Reads a part of the C interface and names its functions after the library: these are visible.
static Expected<std::unique_ptr<llvm::Module>> readRuntime(llvm::StringRef text,
                                                           const llvm::Module &program,
                                                           const LibraryOptions &options,
                                                           llvm::StringSet<> &visible) {
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> runtime =
      llvm::parseAssemblyString(text, diagnostic, program.getContext());
  if (!runtime)
    return makeError("cannot read the runtime: {0}", diagnostic.getMessage());
  runtime->setDataLayout(program.getDataLayout());
  runtime->setTargetTriple(program.getTargetTriple());
  for (llvm::Function &function : *runtime) {
    if (function.isDeclaration())
      continue;
    // The machine is the program's.
    for (const char *attribute : {"target-cpu", "target-features", "tune-cpu"})
      function.removeFnAttr(attribute);
    llvm::StringRef rest = function.getName();
    // Unused then, and dropped by the optimiser.
    if (function.hasLocalLinkage() || !rest.consume_front(kPrefix) ||
        (options.embedWeights && rest == "load_weights"))
      continue;
    function.setName(options.name + "_" + rest);
    visible.insert(function.getName());
  }
  return runtime;
}

/// Links the C interface and hides everything else.
static Error addInterface(llvm::Module &module, const LibraryOptions &options) {
  llvm::StringSet<> visible;
  llvm::SmallVector<std::unique_ptr<llvm::Module>> parts;
  for (llvm::StringRef text : {kRuntime, options.isForXe ? kDeviceMemory : kHostMemory}) {
    auto part = readRuntime(text, module, options, visible);
    if (!part)
      return part.takeError();
    parts.push_back(std::move(*part));
  }
  // Before the runtime comes in, so that no function of the program can be taken for one of it.
  llvm::internalizeModule(
      module, [](const llvm::GlobalValue &value) { return value.getName().starts_with(kPrefix); });
  for (std::unique_ptr<llvm::Module> &part : parts)
    if (llvm::Linker::linkModules(module, std::move(part)))
      return makeError("cannot link the runtime to the program");
  llvm::internalizeModule(
      module, [&](const llvm::GlobalValue &value) { return visible.contains(value.getName()); });
  return Error::success();
}

Expected<LibraryModule> ssmq::buildLibraryModule(mlir::ModuleOp lowered,
                                                 const ProgramSignature &signature,
                                                 WeightLocator weights,
                                                 const LibraryOptions &options) {
  if (makeLibraryName(options.name) != options.name)
    return makeError("the name {0} is not a C identifier", quote(options.name));
  if (options.isForXe && kDeviceMemory.empty())
    return makeError(
        "this ssmq was built without OpenCL's headers and emits no libraries for GPUs; "
        "install opencl-c-headers and build again");
  LibraryModule library;
  Expected<llvm::orc::JITTargetMachineBuilder> target = createTarget(options.compile);
  if (!target)
    return target.takeError();
  Expected<std::unique_ptr<llvm::TargetMachine>> machine = target->createTargetMachine();
  if (!machine)
    return machine.takeError();
  library.target = std::move(*machine);
  library.context = std::make_unique<llvm::LLVMContext>();
  Expected<std::unique_ptr<llvm::Module>> module =
      translate(lowered, signature, *library.target, *library.context);
  if (!module)
    return module.takeError();
  library.module = std::move(*module);
  for (const char *name : {"ssmq_gemm", "ssmq_profile_begin"})
    if (llvm::Function *function = library.module->getFunction(name);
        function && function->isDeclaration() && !function->use_empty())
      return makeError("the program calls the library of ssmq, which an emitted one does without; "
                       "lower it without onednn-gemm and profile");

  bool hasDecode = library.module->getFunction(kDecodeEntry) != nullptr;
  bool hasPrefill = library.module->getFunction(kPrefillEntry) != nullptr;
  Expected<std::vector<LocatedWeight>> located = locateWeights(*library.module, weights);
  if (!located)
    return located.takeError();
  if (options.embedWeights)
    embedWeights(*library.module, *located);
  // Compiled code of the CPU has the addresses of embedded weights in it; a device copies them.
  if (Error error = options.embedWeights && !options.isForXe
                        ? referToWeights(*library.module, {}, options)
                        : referToWeights(*library.module, *located, options))
    return error;
  if (options.isForXe)
    if (Error error = describeKernels(*library.module, options.xeTargets))
      return error;
  addInvoke(*library.module, kPrefix.str() + "invoke_forward", kForwardEntry);
  addInvoke(*library.module, kPrefix.str() + "invoke_decode",
            hasDecode ? kDecodeEntry : kForwardEntry);
  addInvoke(*library.module, kPrefix.str() + "invoke_prefill",
            hasPrefill ? kPrefillEntry : kForwardEntry);
  describe(*library.module, signature, hasPrefill);
  if (Error error = addInterface(*library.module, options))
    return error;
  library.needsOpenMP = needsOpenMP(*library.module);
  optimize(*library.module, *library.target, options.compile.optLevel);
  return library;
}
