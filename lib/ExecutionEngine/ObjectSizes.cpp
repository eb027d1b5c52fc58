//===- ObjectSizes.cpp - What an object file takes and needs --------------===//

#include "ObjectSizes.h"

#include "ssmq/Support/Error.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/DataExtractor.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::object::ELFObjectFileBase;
using llvm::object::SectionRef;
using llvm::object::SymbolRef;

namespace {
using Names = llvm::DenseMap<uint64_t, llvm::StringRef>;
}

/// Addresses of Thumb functions have their lowest bit set.
static uint64_t getPlace(uint64_t address) { return address & ~uint64_t(1); }

/// The functions of a section by their places.
static Expected<Names> getFunctions(const ELFObjectFileBase &object, const SectionRef &section) {
  Names names;
  for (const SymbolRef &symbol : object.symbols()) {
    Expected<SymbolRef::Type> type = symbol.getType();
    Expected<llvm::object::section_iterator> where = symbol.getSection();
    Expected<uint64_t> address = symbol.getAddress();
    Expected<llvm::StringRef> name = symbol.getName();
    if (!type || !where || !address || !name)
      return llvm::joinErrors(llvm::joinErrors(type.takeError(), where.takeError()),
                              llvm::joinErrors(address.takeError(), name.takeError()));
    if (*type == SymbolRef::ST_Function && *where != object.section_end() && **where == section)
      names[getPlace(*address)] = *name;
  }
  return names;
}

/// Entries of .stack_sizes: an address, which a relocation gives, and a ULEB128.
static Error addFrames(const ELFObjectFileBase &object, const SectionRef &section,
                       ObjectSizes &sizes) {
  Expected<llvm::StringRef> contents = section.getContents();
  if (!contents)
    return contents.takeError();
  unsigned addressBytes = object.getBytesInAddress();
  llvm::DataExtractor data(*contents, object.isLittleEndian(), addressBytes);
  llvm::DenseMap<uint64_t, llvm::StringRef> byOffset;
  for (const SectionRef &relocations : object.sections()) {
    Expected<llvm::object::section_iterator> relocated = relocations.getRelocatedSection();
    if (!relocated)
      return relocated.takeError();
    if (*relocated == object.section_end() || **relocated != section)
      continue;
    for (const auto &relocation : relocations.relocations()) {
      auto symbol = relocation.getSymbol();
      if (symbol == object.symbol_end())
        continue;
      Expected<uint64_t> address = symbol->getAddress();
      Expected<llvm::object::section_iterator> where = symbol->getSection();
      if (!address || !where)
        return llvm::joinErrors(address.takeError(), where.takeError());
      if (*where == object.section_end())
        continue;
      uint64_t offset = relocation.getOffset();
      Expected<int64_t> addend = llvm::object::ELFRelocationRef(relocation).getAddend();
      if (!addend) { // in the place itself
        llvm::consumeError(addend.takeError());
        uint64_t at = offset;
        addend = static_cast<int64_t>(data.getAddress(&at));
      }
      Expected<Names> names = getFunctions(object, **where);
      if (!names)
        return names.takeError();
      byOffset[offset] = names->lookup(getPlace(*address + *addend));
    }
  }
  for (uint64_t at = 0; at < contents->size();) {
    llvm::StringRef name = byOffset.lookup(at);
    at += addressBytes;
    Error problem = Error::success();
    uint64_t bytes = data.getULEB128(&at, &problem);
    if (problem)
      return problem;
    sizes.frames[name] = bytes;
  }
  return Error::success();
}

Expected<ObjectSizes> ssmq::readObjectSizes(llvm::StringRef path) {
  auto binary = llvm::object::ObjectFile::createObjectFile(path);
  if (!binary)
    return binary.takeError();
  const auto *object = llvm::dyn_cast<ELFObjectFileBase>(binary->getBinary());
  if (!object)
    return makeError("{0} is no ELF object", path);
  ObjectSizes sizes;
  for (const llvm::object::ELFSectionRef section : object->sections()) {
    Expected<llvm::StringRef> name = section.getName();
    if (!name)
      return name.takeError();
    if (*name == ".stack_sizes")
      if (Error error = addFrames(*object, section, sizes))
        return std::move(error);
    uint64_t flags = section.getFlags();
    if (!(flags & llvm::ELF::SHF_ALLOC))
      continue;
    uint64_t &kind = flags & llvm::ELF::SHF_EXECINSTR ? sizes.code
                     : flags & llvm::ELF::SHF_WRITE   ? sizes.writable
                                                      : sizes.readOnly;
    kind += section.getSize();
  }
  for (const SymbolRef &symbol : object->symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<llvm::StringRef> name = symbol.getName();
    if (!flags || !name)
      return llvm::joinErrors(flags.takeError(), name.takeError());
    if ((*flags & SymbolRef::SF_Undefined) && !name->empty())
      sizes.undefined.push_back(name->str());
  }
  llvm::sort(sizes.undefined);
  return sizes;
}
