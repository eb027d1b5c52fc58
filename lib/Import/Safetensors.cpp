//===- Safetensors.cpp - The safetensors file format ----------------------===//

#include "ssmq/Import/Safetensors.h"

#include "SafetensorsHeader.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace ssmq;
using llvm::Expected;
using llvm::StringRef;

static constexpr size_t lengthBytes = 8;
static constexpr uint64_t maxHeaderBytes = 100000000; // as in the reference library

Expected<SafetensorsFile> SafetensorsFile::open(StringRef path) {
  Expected<std::shared_ptr<const MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  StringRef bytes = (*file)->getBytes();
  if (bytes.size() < lengthBytes)
    return makeError("{0}: {1} bytes are too few for a safetensors file", path, bytes.size());
  uint64_t headerBytes = llvm::support::endian::read64le(bytes.data());
  if (headerBytes == 0 || headerBytes > maxHeaderBytes)
    return makeError("{0}: a header of {1} bytes is not that of a safetensors file", path,
                     headerBytes);
  if (headerBytes > bytes.size() - lengthBytes)
    return makeError("{0}: the header needs {1} bytes, the file has {2} after its length; is the "
                     "download complete?",
                     path, headerBytes, bytes.size() - lengthBytes);
  StringRef text = bytes.substr(lengthBytes, headerBytes);
  if (text.front() != '{')
    return makeError("{0}: the header does not start with '{{', so this is no safetensors file",
                     path);
  StringRef block = bytes.drop_front(lengthBytes + headerBytes);
  Expected<SafetensorsHeader> header = parseSafetensorsHeader(text, block.size(), path);
  if (!header)
    return header.takeError();

  SafetensorsFile result;
  result.file = std::move(*file);
  result.block = block.data();
  result.entries = std::move(header->entries);
  result.metadata = std::move(header->metadata);
  result.warning = std::move(header->warning);
  return std::move(result);
}

StringRef SafetensorsFile::getPath() const { return file->getPath(); }

StringRef SafetensorsFile::getRealPath() const { return file->getRealPath(); }

const SafetensorsEntry *SafetensorsFile::find(StringRef name) const {
  auto it = llvm::lower_bound(entries, name, [](const SafetensorsEntry &entry, StringRef name) {
    return StringRef(entry.name) < name;
  });
  return it != entries.end() && it->name == name ? &*it : nullptr;
}

bool SafetensorsFile::isAligned(const SafetensorsEntry &entry) const {
  return reinterpret_cast<uintptr_t>(block + entry.begin) % (getBitWidth(entry.type) / 8) == 0;
}

Tensor SafetensorsFile::getTensor(const SafetensorsEntry &entry) const {
  const char *data = block + entry.begin;
  if (isAligned(entry))
    return Tensor::borrow(entry.type, entry.shape, data, file);
  Tensor copy = Tensor::empty(entry.type, entry.shape);
  std::memcpy(copy.getMutableRawData(), data, entry.end - entry.begin);
  return copy;
}

FileRange SafetensorsFile::getRange(const SafetensorsEntry &entry) const {
  auto offset = static_cast<uint64_t>(block + entry.begin - file->getBytes().data());
  return {file->getRealPath().str(), offset, static_cast<uint64_t>(entry.end - entry.begin)};
}
