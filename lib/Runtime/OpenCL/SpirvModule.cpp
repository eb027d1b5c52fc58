//===- SpirvModule.cpp - What a SPIR-V module needs and offers ------------===//

#include "ssmq/Runtime/OpenCL/SpirvModule.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using Words = llvm::ArrayRef<uint32_t>;

namespace {
constexpr uint32_t kMagic = 0x07230203;
constexpr size_t kHeaderWords = 5;

enum Opcode : uint32_t {
  OpEntryPoint = 15,
  OpTypeInt = 21,
  OpTypeFloat = 22,
  OpTypePointer = 32,
  OpTypeFunction = 33,
  OpFunction = 54,
  OpDecorate = 71,
  OpTypeUntypedPointer = 4417
};
enum : uint32_t { ExecutionModelKernel = 6, DecorationLinkage = 41, LinkageImport = 1 };
enum : uint32_t { StorageUniformConstant = 0, StorageCrossWorkgroup = 5, StorageGeneric = 8 };
} // namespace

static Expected<std::vector<uint32_t>> toWords(llvm::StringRef bytes) {
  std::vector<uint32_t> words(bytes.size() / 4);
  if (bytes.size() % 4 != 0 || words.size() < kHeaderWords)
    return makeError("{0} bytes are no SPIR-V module", bytes.size());
  std::memcpy(words.data(), bytes.data(), bytes.size());
  if (words.front() != kMagic)
    return makeError("the SPIR-V module begins with {0:x8}, not {1:x8}", words.front(), kMagic);
  return words;
}

/// Calls `visit` with each instruction, whose first word holds its opcode.
static Error visitInstructions(Words words, llvm::function_ref<void(uint32_t, Words)> visit) {
  for (size_t at = kHeaderWords; at < words.size();) {
    size_t count = words[at] >> 16;
    if (count == 0 || count > words.size() - at)
      return makeError("the SPIR-V module is broken at word {0}", at);
    visit(words[at] & 0xffff, words.slice(at, count));
    at += count;
  }
  return Error::success();
}

/// The text at the beginning of `words`; cut at their end when it has none.
static llvm::StringRef readText(Words words) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(words.data()), words.size() * 4);
  return bytes.take_until([](char c) { return c == 0; });
}

/// The imported name in an instruction; empty for another.
static llvm::StringRef readImport(uint32_t opcode, Words words) {
  if (opcode != OpDecorate || words.size() < 5 || words[2] != DecorationLinkage ||
      words.back() != LinkageImport)
    return "";
  return readText(words.drop_front(3));
}

Expected<SpirvModule> SpirvModule::parse(llvm::StringRef bytes) {
  Expected<std::vector<uint32_t>> words = toWords(bytes);
  if (!words)
    return words.takeError();

  SpirvModule module;
  struct EntryPoint {
    uint32_t function;
    llvm::StringRef name;
  };
  std::vector<EntryPoint> entries;
  llvm::DenseMap<uint32_t, SpirvParameter> types;
  llvm::DenseMap<uint32_t, Words> functionTypes;
  llvm::DenseMap<uint32_t, uint32_t> functions;
  Error error = visitInstructions(*words, [&](uint32_t opcode, Words one) {
    llvm::StringRef import = readImport(opcode, one);
    if (!import.empty())
      module.imports.push_back(import.str());
    switch (opcode) {
    case OpEntryPoint:
      if (one.size() >= 4 && one[1] == ExecutionModelKernel)
        entries.push_back({one[2], readText(one.drop_front(3))});
      break;
    case OpTypeInt:
    case OpTypeFloat:
      if (one.size() >= 3)
        types[one[1]] = {SpirvParameter::Kind::Number, one[2] / 8};
      break;
    case OpTypePointer:
    case OpTypeUntypedPointer:
      if (one.size() >= 3 && (one[2] == StorageCrossWorkgroup || one[2] == StorageGeneric ||
                              one[2] == StorageUniformConstant))
        types[one[1]] = {SpirvParameter::Kind::Pointer, 8};
      break;
    case OpTypeFunction:
      if (one.size() >= 3)
        functionTypes[one[1]] = one.drop_front(3);
      break;
    case OpFunction:
      if (one.size() >= 5)
        functions[one[2]] = one[4];
      break;
    default: break;
    }
  });
  if (error)
    return error;

  for (const EntryPoint &entry : entries) {
    auto function = functions.find(entry.function);
    auto type =
        function == functions.end() ? functionTypes.end() : functionTypes.find(function->second);
    if (type == functionTypes.end())
      return makeError("kernel {0} of the SPIR-V module has no function", quote(entry.name));
    SpirvKernel kernel{entry.name.str(), {}};
    for (uint32_t parameter : type->second)
      kernel.parameters.push_back(types.lookup(parameter));
    module.kernels.push_back(std::move(kernel));
  }
  return module;
}

const SpirvKernel *SpirvModule::lookup(llvm::StringRef kernel) const {
  auto found = llvm::find_if(kernels, [&](const SpirvKernel &one) { return one.name == kernel; });
  return found == kernels.end() ? nullptr : &*found;
}

Expected<std::string>
ssmq::renameSpirvImports(llvm::StringRef bytes,
                         llvm::function_ref<std::string(llvm::StringRef)> rename) {
  Expected<std::vector<uint32_t>> words = toWords(bytes);
  if (!words)
    return words.takeError();
  std::vector<uint32_t> result(words->begin(), words->begin() + kHeaderWords);
  Error error = visitInstructions(*words, [&](uint32_t opcode, Words one) {
    llvm::StringRef import = readImport(opcode, one);
    if (import.empty()) {
      llvm::append_range(result, one);
      return;
    }
    std::string name = rename(import);
    // A text ends with a zero, in words that are filled with zeros.
    std::vector<uint32_t> text(name.size() / 4 + 1);
    std::memcpy(text.data(), name.data(), name.size());
    result.push_back(static_cast<uint32_t>(4 + text.size()) << 16 | OpDecorate);
    llvm::append_range(result, one.slice(1, 2));
    llvm::append_range(result, text);
    result.push_back(LinkageImport);
  });
  if (error)
    return error;
  return std::string(reinterpret_cast<const char *>(result.data()), result.size() * 4);
}
