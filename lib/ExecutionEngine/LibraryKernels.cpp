//===- LibraryKernels.cpp - The kernels of an emitted library -------------===//

#include "LibraryKernels.h"

#include "LibraryWeights.h"
#include "Ocloc.h"
#include "ssmq/Runtime/OpenCL/Launch.h"
#include "ssmq/Runtime/OpenCL/SpirvModule.h"
#include "ssmq/Runtime/OpenCL/SubgroupFunctions.h"
#include "ssmq/Support/Error.h"
#include "llvm/IR/Constants.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

// Names of --ssmq-host-launches.
static constexpr llvm::StringLiteral kNamePrefix = "ssmq_name_";

namespace {
/// Makes constants of the program that the runtime reads.
class Tables {
public:
  explicit Tables(llvm::Module &module) : module(module) {}

  llvm::GlobalVariable *define(llvm::Constant *value, const llvm::Twine &name,
                               bool isConstant = true) {
    return new llvm::GlobalVariable(module, value->getType(), isConstant,
                                    llvm::GlobalValue::ExternalLinkage, value, kPrefix + name);
  }
  void defineNumber(int64_t value, const llvm::Twine &name) { define(getNumber(value), name); }
  void defineBytes(llvm::StringRef bytes, const llvm::Twine &name) {
    define(llvm::ConstantDataArray::getString(module.getContext(), bytes, /*AddNull=*/false), name)
        ->setAlignment(llvm::Align(8));
    defineNumber(bytes.size(), name + "_bytes");
  }
  llvm::Constant *getNumber(int64_t value) {
    return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(module.getContext()), value);
  }
  llvm::Constant *getText(llvm::StringRef text, const llvm::Twine &name) {
    return define(llvm::ConstantDataArray::getString(module.getContext(), text), name);
  }

private:
  llvm::Module &module;
};
} // namespace

/// Three parts of OpenCL C: what all need, dpas, block I/O. A part that nothing imports is empty.
static Error defineEmulation(Tables &tables, llvm::ArrayRef<std::string> imports) {
  Expected<std::string> common = makeSubgroupEmulation({});
  if (!common)
    return common.takeError();
  std::vector<llvm::Constant *> parts = {tables.getText(*common, "emulation_common")};
  for (SubgroupExtension extension :
       {SubgroupExtension::MatrixMultiply, SubgroupExtension::BlockIO}) {
    std::vector<std::string> names;
    for (const std::string &name : imports)
      if (getSubgroupExtension(name) == extension)
        names.push_back(getExtensionSpelling(name));
    Expected<std::string> source = makeSubgroupEmulation(names);
    if (!source)
      return source.takeError();
    parts.push_back(
        tables.getText(llvm::StringRef(*source).drop_front(common->size()), "emulation_part"));
  }
  tables.define(
      llvm::ConstantArray::get(llvm::ArrayType::get(parts[0]->getType(), parts.size()), parts),
      "emulation");
  return Error::success();
}

static void defineKernels(llvm::Module &module, Tables &tables,
                          llvm::ArrayRef<SpirvKernel> kernels) {
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::get(context, 0);
  auto *word = llvm::Type::getInt64Ty(context);
  auto *type = llvm::StructType::get(pointer, word, pointer, pointer);
  std::vector<llvm::Constant *> entries;
  for (const SpirvKernel &kernel : kernels) {
    std::vector<uint8_t> bytes;
    for (const SpirvParameter &parameter : kernel.parameters)
      bytes.push_back(parameter.kind == SpirvParameter::Kind::Number ? parameter.numBytes : 0);
    entries.push_back(llvm::ConstantStruct::get(
        type, {tables.getText(kernel.name, "kernel_name"), tables.getNumber(bytes.size()),
               tables.define(llvm::ConstantDataArray::get(context, bytes), "parameters"),
               llvm::ConstantPointerNull::get(pointer)}));
  }
  auto *tableType = llvm::ArrayType::get(type, entries.size());
  auto *table = tables.define(llvm::ConstantArray::get(tableType, entries), "kernels",
                              /*isConstant=*/false);
  tables.defineNumber(entries.size(), "num_kernels");
  for (auto [index, kernel] : llvm::enumerate(kernels)) {
    llvm::GlobalVariable *name = module.getNamedGlobal((kNamePrefix + kernel.name).str());
    if (!name)
      continue;
    name->replaceAllUsesWith(llvm::ConstantExpr::getInBoundsGetElementPtr(
        tableType, table,
        llvm::ArrayRef<llvm::Constant *>{tables.getNumber(0), tables.getNumber(index)}));
    name->eraseFromParent();
  }
}

Error ssmq::describeKernels(llvm::Module &module, llvm::ArrayRef<std::string> targets) {
  llvm::GlobalVariable *global = module.getNamedGlobal(kSpirvSymbol);
  auto *bytes = global && global->hasInitializer()
                    ? llvm::dyn_cast<llvm::ConstantDataArray>(global->getInitializer())
                    : nullptr;
  if (!bytes)
    return makeError("the program has no kernels; lower it with --ssmq-lower-to-xe");
  Expected<SpirvModule> spirv = SpirvModule::parse(bytes->getRawDataValues());
  if (!spirv)
    return spirv.takeError();
  Expected<std::string> renamed =
      renameSpirvImports(bytes->getRawDataValues(), getExtensionSpelling);
  if (!renamed)
    return renamed.takeError();
  std::string native;
  if (!targets.empty()) {
    Expected<std::string> compiled = compileNative(*renamed, targets);
    if (!compiled)
      return compiled.takeError();
    native = std::move(*compiled);
  }
  Tables tables(module);
  tables.defineBytes(*renamed, "spirv");
  tables.defineBytes(native, "native");
  defineKernels(module, tables, spirv->getKernels());
  // Launches need it no more.
  global->replaceAllUsesWith(
      llvm::ConstantPointerNull::get(llvm::PointerType::get(module.getContext(), 0)));
  global->eraseFromParent();
  return defineEmulation(tables, spirv->getImports());
}
