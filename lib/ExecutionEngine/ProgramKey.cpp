//===- ProgramKey.cpp - What machine code follows from --------------------===//

#include "ProgramKey.h"

#include "HostModule.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include <link.h>

using namespace ssmq;

namespace {
/// The images of this process whose build decides what code comes out, by their GNU build IDs.
struct Images {
  uintptr_t ownAddress;
  llvm::SmallVector<std::string, 3> buildIds;
  bool allKnown = true;
};
} // namespace

static bool contains(const dl_phdr_info &image, uintptr_t address) {
  for (const ElfW(Phdr) &part : llvm::ArrayRef(image.dlpi_phdr, image.dlpi_phnum))
    if (part.p_type == PT_LOAD && address - image.dlpi_addr - part.p_vaddr < part.p_memsz)
      return true;
  return false;
}

static std::string findBuildId(const dl_phdr_info &image) {
  for (const ElfW(Phdr) &part : llvm::ArrayRef(image.dlpi_phdr, image.dlpi_phnum)) {
    if (part.p_type != PT_NOTE)
      continue;
    llvm::StringRef notes(reinterpret_cast<const char *>(image.dlpi_addr + part.p_vaddr),
                          part.p_memsz);
    while (notes.size() >= sizeof(ElfW(Nhdr))) {
      ElfW(Nhdr) head;
      std::memcpy(&head, notes.data(), sizeof(head));
      uint64_t nameBytes = llvm::alignTo(head.n_namesz, 4);
      uint64_t size = sizeof(head) + nameBytes + llvm::alignTo(head.n_descsz, 4);
      if (size > notes.size())
        break;
      if (head.n_type == NT_GNU_BUILD_ID)
        return notes.substr(sizeof(head) + nameBytes, head.n_descsz).str();
      notes = notes.drop_front(size);
    }
  }
  return "";
}

static int visitImage(dl_phdr_info *image, size_t, void *data) {
  auto &images = *static_cast<Images *>(data);
  llvm::StringRef name = image->dlpi_name ? image->dlpi_name : "";
  if (!contains(*image, images.ownAddress) && !name.contains("libLLVM") &&
      !name.contains("libMLIR"))
    return 0;
  images.buildIds.push_back(findBuildId(*image));
  images.allKnown &= !images.buildIds.back().empty();
  return 0;
}

std::optional<ProgramKey> ssmq::computeKey(mlir::ModuleOp source, llvm::StringRef lowering,
                                           const CompileOptions &options) {
  Images images{reinterpret_cast<uintptr_t>(&findBuildId), {}};
  dl_iterate_phdr(visitImage, &images);
  llvm::Expected<llvm::orc::JITTargetMachineBuilder> target = createTarget(options);
  if (!target || !images.allKnown) {
    llvm::consumeError(target.takeError());
    return std::nullopt;
  }

  std::string text;
  llvm::raw_string_ostream stream(text);
  // Each part ends in a zero, so that no two lists of parts read the same.
  for (const std::string &buildId : images.buildIds)
    stream << llvm::toHex(buildId) << '\0';
  stream << LLVM_VERSION_STRING << '\0' << target->getTargetTriple().str() << '\0'
         << target->getCPU() << '\0' << target->getFeatures().getString() << '\0'
         << options.optLevel << '\0' << lowering << '\0';
  // Where the checkpoint lies changes nothing.
  mlir::OwningOpRef<mlir::ModuleOp> program = source.clone();
  (*program)->removeAttr(mlir::ssm::SSMDialect::kCheckpointAttrName);
  if (failed(mlir::writeBytecodeToFile(*program, stream)))
    return std::nullopt;
  llvm::BLAKE3 hasher;
  hasher.update(text);
  return hasher.final<32>();
}
