//===- SafetensorsWriter.cpp - Writing safetensors files ------------------===//

#include "SafetensorsHeader.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::StringRef;

static Shape getStoredShape(const Tensor &tensor) {
  Shape shape(tensor.getShape().begin(), tensor.getShape().end());
  if (tensor.getDType() != DType::I4)
    return shape;
  if (shape.empty())
    return {1};
  shape.back() = (shape.back() + 1) / 2;
  return shape;
}

static Error checkNames(llvm::ArrayRef<const NamedTensor *> sortedByName, StringRef path) {
  for (const NamedTensor *named : sortedByName) {
    if (!named->tensor)
      return makeError("{0}: tensor {1} has no data", path, quote(named->name));
    if (named->name == "__metadata__" || !llvm::json::isUTF8(named->name))
      return makeError("{0}: a tensor cannot be named {1}", path, quote(named->name));
  }
  for (size_t i = 1; i < sortedByName.size(); ++i)
    if (sortedByName[i - 1]->name == sortedByName[i]->name)
      return makeError("{0}: two tensors are named {1}", path, quote(sortedByName[i]->name));
  return Error::success();
}

/// Length and header, for tensors in the order of their bytes.
static std::string printHeader(llvm::ArrayRef<SafetensorsEntry> entries,
                               const SafetensorsMetadata &metadata) {
  std::string header;
  llvm::raw_string_ostream stream(header);
  llvm::json::OStream json(stream);
  json.object([&] {
    if (!metadata.empty())
      json.attributeObject("__metadata__", [&] {
        for (const auto &[key, value] : metadata)
          json.attribute(llvm::json::fixUTF8(key), llvm::json::fixUTF8(value));
      });
    for (const SafetensorsEntry &entry : entries)
      json.attributeObject(entry.name, [&] {
        json.attribute("dtype", getSafetensorsName(entry.type));
        json.attribute("shape", llvm::json::Array(entry.shape));
        json.attribute("data_offsets", llvm::json::Array{entry.begin, entry.end});
      });
  });
  header.resize(llvm::alignTo(header.size(), 8), ' ');
  char length[8];
  llvm::support::endian::write64le(length, header.size());
  return std::string(length, sizeof(length)) + header;
}

Error ssmq::writeSafetensors(StringRef path, llvm::ArrayRef<NamedTensor> tensors,
                             const SafetensorsMetadata &metadata) {
  std::vector<const NamedTensor *> order;
  for (const NamedTensor &named : tensors)
    order.push_back(&named);
  llvm::sort(order, [](const NamedTensor *a, const NamedTensor *b) { return a->name < b->name; });
  if (Error error = checkNames(order, path))
    return error;
  // Wider types first: every tensor then starts at a multiple of its element size.
  llvm::sort(order, [](const NamedTensor *a, const NamedTensor *b) {
    unsigned widthA = getBitWidth(a->tensor.getDType()), widthB = getBitWidth(b->tensor.getDType());
    return std::tie(widthB, a->name) < std::tie(widthA, b->name);
  });

  std::vector<SafetensorsEntry> entries;
  for (const NamedTensor *named : order) {
    int64_t begin = entries.empty() ? 0 : entries.back().end;
    entries.push_back({named->name, named->tensor.getDType(), getStoredShape(named->tensor), begin,
                       begin + named->tensor.getNumBytes()});
  }
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    stream << printHeader(entries, metadata);
    for (const NamedTensor *named : order)
      stream.write(static_cast<const char *>(named->tensor.getRawData()),
                   named->tensor.getNumBytes());
    return Error::success();
  });
}

Error ssmq::writeSafetensors(StringRef path, StringRef name, DType type,
                             llvm::ArrayRef<int64_t> shape, const SafetensorsMetadata &metadata,
                             llvm::function_ref<Error(llvm::raw_ostream &)> write) {
  std::optional<int64_t> numBytes = getCheckedNumBytes(type, shape);
  if (!numBytes)
    return makeError("{0}: tensor {1} is too large", path, quote(name));
  SafetensorsEntry entry{name.str(), type, Shape(shape.begin(), shape.end()), 0, *numBytes};
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) -> Error {
    stream << printHeader(entry, metadata);
    uint64_t start = stream.tell();
    if (Error error = write(stream))
      return error;
    if (stream.tell() - start != static_cast<uint64_t>(*numBytes))
      return makeError("{0}: tensor {1} has {2} bytes, not {3}", path, quote(name),
                       stream.tell() - start, *numBytes);
    return Error::success();
  });
}
