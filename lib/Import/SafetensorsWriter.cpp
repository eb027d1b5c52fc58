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

static std::string printHeader(llvm::ArrayRef<const NamedTensor *> order,
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
    int64_t position = 0;
    for (const NamedTensor *named : order) {
      int64_t end = position + named->tensor.getNumBytes();
      json.attributeObject(named->name, [&] {
        json.attribute("dtype", getSafetensorsName(named->tensor.getDType()));
        json.attribute("shape", llvm::json::Array(getStoredShape(named->tensor)));
        json.attribute("data_offsets", llvm::json::Array{position, end});
      });
      position = end;
    }
  });
  header.resize(llvm::alignTo(header.size(), 8), ' ');
  return header;
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

  std::string header = printHeader(order, metadata);
  return writeFileAtomically(path, [&](llvm::raw_ostream &stream) {
    char length[8];
    llvm::support::endian::write64le(length, header.size());
    stream.write(length, sizeof(length));
    stream << header;
    for (const NamedTensor *named : order)
      stream.write(static_cast<const char *>(named->tensor.getRawData()),
                   named->tensor.getNumBytes());
    return Error::success();
  });
}
