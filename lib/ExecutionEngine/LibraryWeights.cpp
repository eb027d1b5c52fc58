//===- LibraryWeights.cpp - How a library reaches its weights -------------===//

#include "LibraryWeights.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/ReplaceConstant.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;

/// As large as any vector, and a multiple of a cache line.
static constexpr uint64_t kAlignment = 64;

Expected<std::vector<LocatedWeight>> ssmq::locateWeights(llvm::Module &module,
                                                         WeightLocator locate) {
  std::vector<LocatedWeight> weights;
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
    range->numBytes = needed;
    // Bytes keep their place relative to an aligned start of the file.
    global.setAlignment(llvm::commonAlignment(llvm::Align(kAlignment), range->offset));
    weights.push_back({&global, std::move(*range)});
  }
  return weights;
}

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

void ssmq::embedWeights(llvm::Module &module, llvm::ArrayRef<LocatedWeight> weights) {
  if (weights.empty())
    return;
  llvm::MapVector<llvm::StringRef, std::vector<const LocatedWeight *>> files;
  for (const LocatedWeight &weight : weights)
    files[weight.range.path].push_back(&weight);

  std::string text;
  llvm::raw_string_ostream stream(text);
  // Sections for large data stand apart, so that gigabytes of weights do not part code from its
  // constants by more than a 32-bit offset.
  bool hasLargeData = module.getTargetTriple().getArch() == llvm::Triple::x86_64;
  stream << (hasLargeData ? ".section .lrodata.ssmq,\"al\",@progbits\n"
                          : ".section .rodata.ssmq,\"a\",@progbits\n");
  unsigned numFiles = 0, numWeights = 0;
  for (const auto &[path, parts] : files) {
    uint64_t begin = UINT64_MAX, end = 0;
    for (const LocatedWeight *part : parts) {
      begin = std::min(begin, llvm::alignDown(part->range.offset, kAlignment));
      end = std::max(end, part->range.offset + part->range.numBytes);
    }
    // One directive a file: the assembler opens the file anew for each.
    stream << ".balign " << kAlignment << "\n.Lssmq_file_" << numFiles << ":\n.incbin \""
           << escape(path) << "\"," << begin << "," << end - begin << "\n";
    for (const LocatedWeight *part : parts) {
      // A name that the assembler reads as it is.
      part->global->setName("ssmq_weight_" + llvm::Twine(numWeights++));
      stream << part->global->getName() << " = .Lssmq_file_" << numFiles << " + "
             << part->range.offset - begin << "\n";
    }
    ++numFiles;
  }
  stream << ".text\n";
  module.appendModuleInlineAsm(text);
}

/// FNV-1a of the first bytes of a file, as LibraryRuntime.c computes it.
static Expected<uint64_t> getChecksum(llvm::StringRef path, uint64_t numBytes) {
  Expected<std::shared_ptr<const MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  uint64_t checksum = 0xcbf29ce484222325;
  for (unsigned char c : (*file)->getBytes().take_front(numBytes))
    checksum = (checksum ^ c) * 0x100000001b3;
  return checksum;
}

/// Loads the address of `global` from its place in the table, once in each function that uses it.
static void loadAddress(llvm::GlobalVariable &global, llvm::Constant *place) {
  llvm::convertUsersOfConstantsToInstructions({&global});
  llvm::MapVector<llvm::Function *, std::vector<llvm::Use *>> uses;
  for (llvm::Use &use : global.uses())
    if (auto *user = llvm::dyn_cast<llvm::Instruction>(use.getUser()))
      uses[user->getFunction()].push_back(&use);
  for (auto &[function, list] : uses) {
    llvm::IRBuilder<> builder(&*function->getEntryBlock().getFirstInsertionPt());
    llvm::LoadInst *address = builder.CreateLoad(builder.getPtrTy(), place);
    address->setMetadata(llvm::LLVMContext::MD_invariant_load,
                         llvm::MDNode::get(builder.getContext(), {}));
    for (llvm::Use *use : list)
      use->set(address);
  }
}

Error ssmq::referToWeights(llvm::Module &module, llvm::ArrayRef<LocatedWeight> weights,
                           const LibraryOptions &options) {
  llvm::LLVMContext &context = module.getContext();
  llvm::IRBuilder<> builder(context);
  auto define = [&](llvm::Constant *value, llvm::StringRef name, bool isConstant = true) {
    return new llvm::GlobalVariable(module, value->getType(), isConstant,
                                    llvm::GlobalValue::ExternalLinkage, value, kPrefix + name);
  };
  auto *pointer = builder.getPtrTy();
  auto *fileType = llvm::StructType::get(pointer, builder.getInt64Ty(), builder.getInt64Ty(),
                                         builder.getInt64Ty());
  auto *placeType = llvm::StructType::get(builder.getInt64Ty(), builder.getInt64Ty());

  llvm::MapVector<llvm::StringRef, std::pair<unsigned, uint64_t>> files;
  std::vector<llvm::Constant *> fileTable, placeTable, addresses, sizes;
  for (const LocatedWeight &weight : weights) {
    sizes.push_back(builder.getInt64(weight.range.numBytes));
    addresses.push_back(llvm::ConstantPointerNull::get(pointer));
    if (options.embedWeights)
      continue;
    unsigned index = files.size();
    auto &[file, head] = files.try_emplace(weight.range.path, index, UINT64_MAX).first->second;
    head = std::min(head, weight.range.offset);
    placeTable.push_back(llvm::ConstantStruct::get(
        placeType, {builder.getInt64(file), builder.getInt64(weight.range.offset)}));
  }
  llvm::StringSet<> names;
  for (const auto &[path, entry] : files) {
    llvm::StringRef name = llvm::sys::path::filename(path);
    if (!names.insert(name).second)
      return makeError("two files of the weights are called {0}; embed the weights", name);
    uint64_t size = 0;
    if (std::error_code code = llvm::sys::fs::file_size(path, size))
      return makeError("cannot read {0}: {1}", path, code.message());
    Expected<uint64_t> checksum = getChecksum(path, entry.second);
    if (!checksum)
      return checksum.takeError();
    auto *text = define(llvm::ConstantDataArray::getString(context, name), "file_name");
    fileTable.push_back(llvm::ConstantStruct::get(fileType, {text, builder.getInt64(size),
                                                             builder.getInt64(entry.second),
                                                             builder.getInt64(*checksum)}));
  }
  define(builder.getInt64(fileTable.size()), "num_files");
  define(builder.getInt64(weights.size()), "num_weights");
  define(llvm::ConstantArray::get(llvm::ArrayType::get(fileType, fileTable.size()), fileTable),
         "files");
  define(llvm::ConstantArray::get(llvm::ArrayType::get(placeType, placeTable.size()), placeTable),
         "places");
  define(llvm::ConstantArray::get(llvm::ArrayType::get(builder.getInt64Ty(), sizes.size()), sizes),
         "weight_bytes");
  auto *tableType = llvm::ArrayType::get(pointer, weights.size());
  auto *table =
      define(llvm::ConstantArray::get(tableType, addresses), "weights", /*isConstant=*/false);
  for (auto [index, weight] : llvm::enumerate(weights)) {
    llvm::Constant *place = llvm::ConstantExpr::getInBoundsGetElementPtr(
        tableType, table,
        llvm::ArrayRef<llvm::Constant *>{builder.getInt64(0), builder.getInt64(index)});
    loadAddress(*weight.global, place);
    if (options.embedWeights)
      addresses[index] = weight.global;
    else
      weight.global->eraseFromParent();
  }
  table->setInitializer(llvm::ConstantArray::get(tableType, addresses));
  return Error::success();
}
