//===- WeightStore.h - The weights of a checkpoint --------------*- C++ -*-===//
//
// Finds the tensors of a checkpoint by name, in one safetensors file or in the shards of an index.
// A shard is a plain file name; what it resolves to must lie in the folder itself, or in the blobs
// of a Hugging Face hub cache when the folder is one of its snapshots, so that an index cannot make
// us read other files. Index and shard headers must agree on every tensor.
//
// After open() all members may be called from many threads.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_IMPORT_WEIGHTSTORE_H
#define SSMQ_IMPORT_WEIGHTSTORE_H

#include "ssmq/Import/Safetensors.h"
#include "llvm/ADT/StringMap.h"
#include <mutex>

namespace ssmq {

class WeightStore {
public:
  /// `path` is a safetensors file, or a folder with model.safetensors,
  /// model.safetensors.index.json and its shards, or exactly one other *.safetensors.
  static llvm::Expected<WeightStore> open(llvm::StringRef path);

  /// A store that holds nothing, for programs whose weights are constants.
  static WeightStore makeEmpty();

  /// Borrows the mapped file (which outlives the store then). An unknown name is an error that
  /// tells the nearest one.
  llvm::Expected<Tensor> lookup(llvm::StringRef name) const;
  /// Where the bytes of a tensor lie, for readers of their own.
  llvm::Expected<FileRange> locate(llvm::StringRef name) const;
  bool contains(llvm::StringRef name) const { return places.contains(name); }
  /// Sorted; valid as long as the store.
  llvm::ArrayRef<llvm::StringRef> getNames() const { return names; }
  int64_t getTotalBytes() const { return totalBytes; }
  llvm::ArrayRef<SafetensorsFile> getFiles() const { return files; }

  /// Reads every value once and names the first tensor (by name) that holds a NaN or an infinity.
  llvm::Error checkFinite(unsigned threads) const;

private:
  struct Place {
    const SafetensorsFile *file;
    const SafetensorsEntry *entry;
  };
  /// Tensors whose bytes lie unaligned in their file, copied at first use.
  struct Copies {
    std::mutex mutex;
    llvm::StringMap<Tensor> tensors;
  };

  llvm::Expected<Place> find(llvm::StringRef name) const;
  static llvm::Expected<WeightStore> create(std::vector<SafetensorsFile> files);
  static llvm::Expected<WeightStore> openShards(llvm::StringRef folder, llvm::StringRef index);

  std::vector<SafetensorsFile> files;
  llvm::StringMap<Place> places;
  std::vector<llvm::StringRef> names;
  int64_t totalBytes = 0;
  std::unique_ptr<Copies> copies;
};

} // namespace ssmq

#endif // SSMQ_IMPORT_WEIGHTSTORE_H
