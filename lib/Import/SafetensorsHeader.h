//===- SafetensorsHeader.h - Header of a safetensors file -------*- C++ -*-===//

#ifndef SSMQ_LIB_IMPORT_SAFETENSORSHEADER_H
#define SSMQ_LIB_IMPORT_SAFETENSORSHEADER_H

#include "ssmq/Import/Safetensors.h"

namespace ssmq {

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries; // sorted by name
  SafetensorsMetadata metadata;
  std::string warning;
};

/// Reads the JSON `text` of the file `name` and checks it against the size of its tensor block.
llvm::Expected<SafetensorsHeader> parseSafetensorsHeader(llvm::StringRef text, int64_t blockBytes,
                                                         llvm::StringRef name);

/// "F32", "BF16", ... as the format spells them.
llvm::StringRef getSafetensorsName(DType type);

} // namespace ssmq

#endif // SSMQ_LIB_IMPORT_SAFETENSORSHEADER_H
