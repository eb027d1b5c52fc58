//===- SafetensorsWriter.cpp - Writing safetensors files ------------------===//

#include "SafetensorsHeader.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::StringRef;

/// Where kernels want tensors to begin.
static constexpr int64_t kAlignment = 64;

static Shape getStoredShape(const LazyTensor &tensor) {
  Shape shape = tensor.shape;
  if (tensor.type != DType::I4)
    return shape;
  if (shape.empty())
    return {1};
  shape.back() = (shape.back() + 1) / 2;
  return shape;
}

static Error checkNames(llvm::ArrayRef<const LazyTensor *> sortedByName, StringRef path) {
  for (const LazyTensor *tensor : sortedByName)
    if (tensor->name == "__metadata__" || !llvm::json::isUTF8(tensor->name))
      return makeError("{0}: a tensor cannot be named {1}", path, quote(tensor->name));
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
  header.resize(llvm::alignTo(header.size() + 8, kAlignment) - 8, ' ');
  char length[8];
  llvm::support::endian::write64le(length, header.size());
  return std::string(length, sizeof(length)) + header;
}

/// The largest power of two up to the alignment that divides the size.
static int64_t getAlignment(int64_t numBytes) {
  return numBytes == 0 ? kAlignment : std::min(kAlignment, numBytes & -numBytes);
}

Error ssmq::writeSafetensors(StringRef path, llvm::ArrayRef<LazyTensor> tensors,
                             const SafetensorsMetadata &metadata) {
  std::vector<const LazyTensor *> order;
  for (const LazyTensor &tensor : tensors)
    order.push_back(&tensor);
  llvm::sort(order, [](const LazyTensor *a, const LazyTensor *b) { return a->name < b->name; });
  if (Error error = checkNames(order, path))
    return error;
  llvm::DenseMap<const LazyTensor *, int64_t> sizes;
  for (const LazyTensor *tensor : order) {
    std::optional<int64_t> numBytes = getCheckedNumBytes(tensor->type, tensor->shape);
    if (!numBytes)
      return makeError("{0}: tensor {1} is too large", path, quote(tensor->name));
    sizes[tensor] = *numBytes;
  }
  llvm::sort(order, [&](const LazyTensor *a, const LazyTensor *b) {
    int64_t alignmentA = getAlignment(sizes[a]), alignmentB = getAlignment(sizes[b]);
    return std::tie(alignmentB, a->name) < std::tie(alignmentA, b->name);
  });

  std::vector<SafetensorsEntry> entries;
  for (const LazyTensor *tensor : order) {
    int64_t begin = entries.empty() ? 0 : entries.back().end;
    entries.push_back(
        {tensor->name, tensor->type, getStoredShape(*tensor), begin, begin + sizes[tensor]});
  }
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) -> Error {
    stream << printHeader(entries, metadata);
    for (const LazyTensor *tensor : order) {
      llvm::Expected<Tensor> made = tensor->make();
      if (!made)
        return made.takeError();
      if (!*made || made->getNumBytes() != sizes[tensor])
        return makeError("{0}: tensor {1} has no data of its size", path, quote(tensor->name));
      stream.write(static_cast<const char *>(made->getRawData()), made->getNumBytes());
    }
    return Error::success();
  });
}

LazyTensor ssmq::makeLazy(NamedTensor named) {
  DType type = named.tensor.getDType();
  Shape shape(named.tensor.getShape());
  return {std::move(named.name), type, shape,
          [tensor = std::move(named.tensor)]() -> llvm::Expected<Tensor> { return tensor; }};
}

Error ssmq::writeSafetensors(StringRef path, llvm::ArrayRef<NamedTensor> tensors,
                             const SafetensorsMetadata &metadata) {
  std::vector<LazyTensor> lazy;
  for (const NamedTensor &named : tensors) {
    if (!named.tensor)
      return makeError("{0}: tensor {1} has no data", path, quote(named.name));
    lazy.push_back(makeLazy(named));
  }
  return writeSafetensors(path, lazy, metadata);
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
