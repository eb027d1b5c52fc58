//===- Safetensors.h - The safetensors file format --------------*- C++ -*-===//
//
// A safetensors file is an 8-byte little-endian header length, a JSON header and one block of
// tensor bytes. The header is checked in full before a tensor is given out: types, shapes, sizes,
// and that the tensors cover the block without hole or overlap. Stricter than the reference library
// 0.8 where its specification is: the header starts with '{', keys are unique; beyond that the rank
// ends at 8 and there are at most a million tensors.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_IMPORT_SAFETENSORS_H
#define SSMQ_IMPORT_SAFETENSORS_H

#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
}

namespace ssmq {

class MappedFile;
struct FileRange;

struct SafetensorsEntry {
  std::string name;
  DType type = DType::F32;
  Shape shape;
  /// Byte range in the tensor block.
  int64_t begin = 0, end = 0;
};

using SafetensorsMetadata = std::map<std::string, std::string>;

class SafetensorsFile {
public:
  static llvm::Expected<SafetensorsFile> open(llvm::StringRef path);

  llvm::StringRef getPath() const;
  /// Where the file lies, symbolic links resolved.
  llvm::StringRef getRealPath() const;
  /// Sorted by name.
  llvm::ArrayRef<SafetensorsEntry> getEntries() const { return entries; }
  const SafetensorsEntry *find(llvm::StringRef name) const;
  const SafetensorsMetadata &getMetadata() const { return metadata; }
  /// Says that the header has fields this reader does not know; empty otherwise.
  llvm::StringRef getWarning() const { return warning; }

  /// Borrows the mapping, which lives as long as the tensor; copies only when the bytes are not
  /// aligned to the element size.
  Tensor getTensor(const SafetensorsEntry &entry) const;
  bool isAligned(const SafetensorsEntry &entry) const;
  FileRange getRange(const SafetensorsEntry &entry) const;

private:
  std::shared_ptr<const MappedFile> file;
  const char *block = nullptr;
  std::vector<SafetensorsEntry> entries;
  SafetensorsMetadata metadata;
  std::string warning;
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// A tensor that is made when its bytes are written, and gone afterwards. It must come out in this
/// type and shape.
struct LazyTensor {
  std::string name;
  DType type = DType::F32;
  Shape shape;
  std::function<llvm::Expected<Tensor>()> make;
};
LazyTensor makeLazy(NamedTensor named);

/// Writes the tensors so that every reader finds them aligned: the header is padded so that the
/// tensor block starts at a multiple of 64 bytes of the file, and a tensor at a multiple of the
/// largest power of two, up to 64, that divides its size. So kernels can map them. I4 tensors are
/// stored as U8 with their last dimension halved (rounded up). The file appears complete or not at
/// all.
llvm::Error writeSafetensors(llvm::StringRef path, llvm::ArrayRef<LazyTensor> tensors,
                             const SafetensorsMetadata &metadata = {});
llvm::Error writeSafetensors(llvm::StringRef path, llvm::ArrayRef<NamedTensor> tensors,
                             const SafetensorsMetadata &metadata = {});

/// Writes one tensor of whole bytes that is made piece by piece: `write` puts exactly its bytes
/// into the stream, or fails.
llvm::Error writeSafetensors(llvm::StringRef path, llvm::StringRef name, DType type,
                             llvm::ArrayRef<int64_t> shape, const SafetensorsMetadata &metadata,
                             llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace ssmq

#endif // SSMQ_IMPORT_SAFETENSORS_H
