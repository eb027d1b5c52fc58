//===- LibraryModule.cpp - The LLVM module of an emitted library ----------===//

#include "LibraryModule.h"

#include "HostModule.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Support/Error.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/Constants.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

static constexpr llvm::StringLiteral kRuntime =
#include "LibraryRuntime.ll.inc"
    ;
static constexpr llvm::StringLiteral kPrefix = "ssmq_library_";
/// As large as any vector, and a multiple of a cache line.
static constexpr uint64_t kAlignment = 64;

namespace {
/// The part of a file that holds all weights of it that the program reads.
struct Extent {
  uint64_t begin = UINT64_MAX, end = 0;
  std::vector<std::pair<llvm::GlobalVariable *, uint64_t>> weights;
};
} // namespace

/// `path` as the assembler reads a string.
static std::string escape(llvm::StringRef path) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (unsigned char c : path) {
    if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
      stream << '\\' << char('0' + c / 64) << char('0' + c / 8 % 8) << char('0' + c % 8);
    else
      stream << char(c);
  }
  return text;
}

/// Defines the declared variables by assembler text that includes the bytes of their files. One
/// directive a file: the assembler opens the file anew for each.
static Error embedWeights(llvm::Module &module, WeightLocator locate) {
  llvm::MapVector<std::string, Extent, std::map<std::string, unsigned>> files;
  unsigned numWeights = 0;
  for (llvm::GlobalVariable &global : module.globals()) {
    if (!global.isDeclaration() || global.getName().starts_with("llvm.") || global.use_empty())
      continue;
    std::string name = global.getName().str();
    Expected<FileRange> range = locate(name);
    if (!range)
      return range.takeError();
    uint64_t needed = module.getDataLayout().getTypeAllocSize(global.getValueType());
    if (range->numBytes < needed)
      return makeError("weight {0} has {1} bytes and the program reads {2}; is the checkpoint the "
                       "one that was imported?",
                       quote(name), range->numBytes, needed);
    uint64_t fileSize = 0;
    if (std::error_code code = llvm::sys::fs::file_size(range->path, fileSize))
      return makeError("cannot read weight {0} from {1}: {2}", quote(name), range->path,
                       code.message());
    if (range->offset > fileSize || needed > fileSize - range->offset)
      return makeError("weight {0} lies past the end of {1}", quote(name), range->path);
    // Bytes keep their place relative to an aligned start of the file.
    global.setAlignment(llvm::commonAlignment(llvm::Align(kAlignment), range->offset));
    // A name that the assembler reads as it is.
    global.setName("ssmq_weight_" + llvm::Twine(numWeights++));
    Extent &extent = files[range->path];
    extent.begin = std::min(extent.begin, range->offset);
    extent.end = std::max(extent.end, range->offset + needed);
    extent.weights.emplace_back(&global, range->offset);
  }
  if (files.empty())
    return Error::success();

  std::string text;
  llvm::raw_string_ostream stream(text);
  // Sections for large data stand apart, so that gigabytes of weights do not part code from its
  // constants by more than a 32-bit offset.
  bool hasLargeData = module.getTargetTriple().getArch() == llvm::Triple::x86_64;
  stream << (hasLargeData ? ".section .lrodata.ssmq,\"al\",@progbits\n"
                          : ".section .rodata.ssmq,\"a\",@progbits\n");
  for (auto [index, file] : llvm::enumerate(files)) {
    const auto &[path, extent] = file;
    uint64_t begin = llvm::alignDown(extent.begin, kAlignment);
    stream << ".balign " << kAlignment << "\n.Lssmq_file_" << index << ":\n.incbin \""
           << escape(path) << "\"," << begin << "," << extent.end - begin << "\n";
    for (auto [global, offset] : extent.weights)
      stream << global->getName() << " = .Lssmq_file_" << index << " + " << offset - begin << "\n";
  }
  stream << ".text\n";
  module.appendModuleInlineAsm(text);
  return Error::success();
}

/// Defines what the runtime asks about the program; a dimension of -1 is the capacity.
static void describe(llvm::Module &module, const ProgramSignature &signature) {
  llvm::Type *word = llvm::Type::getInt64Ty(module.getContext());
  auto define = [&](llvm::Constant *value, const llvm::Twine &name) {
    return new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                    llvm::GlobalValue::ExternalLinkage, value, name);
  };
  auto makeWord = [&](int64_t value) { return llvm::ConstantInt::getSigned(word, value); };
  define(makeWord(signature.vocabSize), kPrefix + "vocab");
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

/// Links the C interface and hides everything else.
static Error addInterface(llvm::Module &module, llvm::StringRef name) {
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> runtime =
      llvm::parseAssemblyString(kRuntime, diagnostic, module.getContext());
  if (!runtime)
    return makeError("cannot read the runtime: {0}", diagnostic.getMessage());
  runtime->setDataLayout(module.getDataLayout());
  runtime->setTargetTriple(module.getTargetTriple());
  llvm::StringSet<> visible;
  for (llvm::Function &function : *runtime) {
    if (function.isDeclaration())
      continue;
    // The machine is the program's.
    for (const char *attribute : {"target-cpu", "target-features", "tune-cpu"})
      function.removeFnAttr(attribute);
    if (function.hasLocalLinkage())
      continue;
    llvm::StringRef rest = function.getName();
    if (rest.consume_front(kPrefix))
      function.setName(name + "_" + rest);
    visible.insert(function.getName());
  }
  // Before the runtime comes in, so that no function of the program can be taken for one of it.
  llvm::internalizeModule(
      module, [](const llvm::GlobalValue &value) { return value.getName().starts_with(kPrefix); });
  if (llvm::Linker::linkModules(module, std::move(runtime)))
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

  bool hasDecode = library.module->getFunction(kDecodeEntry) != nullptr;
  if (Error error = embedWeights(*library.module, weights))
    return error;
  addInvoke(*library.module, kPrefix.str() + "invoke_forward", kForwardEntry);
  addInvoke(*library.module, kPrefix.str() + "invoke_decode",
            hasDecode ? kDecodeEntry : kForwardEntry);
  describe(*library.module, signature);
  if (Error error = addInterface(*library.module, options.name))
    return error;
  library.needsOpenMP = needsOpenMP(*library.module);
  optimize(*library.module, *library.target, options.compile.optLevel);
  return library;
}
