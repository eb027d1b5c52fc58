//===- WeightStore.cpp - The weights of a checkpoint ----------------------===//

#include "ssmq/Import/WeightStore.h"

#include "ssmq/Support/Error.h"
#include "ssmq/Support/File.h"
#include "ssmq/Support/Json.h"
#include "ssmq/Support/Parallel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <atomic>

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

Expected<WeightStore> WeightStore::create(std::vector<SafetensorsFile> files) {
  WeightStore store;
  store.files = std::move(files);
  store.copies = std::make_unique<Copies>();
  for (const SafetensorsFile &file : store.files)
    for (const SafetensorsEntry &entry : file.getEntries()) {
      auto [it, isNew] = store.places.try_emplace(entry.name, Place{&file, &entry});
      if (!isNew)
        return makeError("{0}: tensor {1} is in {2} as well", file.getPath(), quote(entry.name),
                         it->second.file->getPath());
      store.names.push_back(entry.name);
      store.totalBytes += entry.end - entry.begin;
    }
  llvm::sort(store.names);
  return std::move(store);
}

WeightStore WeightStore::makeEmpty() {
  WeightStore store;
  store.copies = std::make_unique<Copies>();
  return store;
}

static Expected<std::string> getRealFolder(StringRef folder) {
  llvm::SmallString<128> real;
  if (std::error_code code = fs::real_path(folder, real))
    return makeError("cannot open the folder {0}: {1}", folder, code.message());
  return real.str().str();
}

/// True for a file in `folder`, or in the blobs of the hub cache whose snapshot `folder` is.
static bool belongsTo(StringRef realFolder, StringRef realFile) {
  StringRef parent = path::parent_path(realFile);
  if (parent == realFolder)
    return true;
  StringRef snapshots = path::parent_path(realFolder);
  return path::filename(snapshots) == "snapshots" && path::filename(parent) == "blobs" &&
         path::parent_path(parent) == path::parent_path(snapshots);
}

static Error checkShardName(StringRef index, StringRef tensor, StringRef shard) {
  bool plain = !shard.empty() && shard != "." && shard != ".." && shard.size() <= 255 &&
               llvm::none_of(shard, [](char c) { return c == '/' || c == '\\' || c == '\0'; });
  if (plain && shard.ends_with(".safetensors"))
    return Error::success();
  return makeError("{0}: tensor {1} is said to be in {2}; a shard must be the plain name of a "
                   ".safetensors file in the same folder",
                   index, quote(tensor), quote(shard));
}

/// Shard name -> sorted names of its tensors.
using ShardMap = std::map<std::string, std::vector<std::string>>;

static Expected<ShardMap> readIndex(StringRef index) {
  Expected<llvm::json::Value> json = readJsonFile(index);
  if (!json)
    return json.takeError();
  const llvm::json::Object *object = json->getAsObject();
  const llvm::json::Object *weights = object ? object->getObject("weight_map") : nullptr;
  if (!weights)
    return makeError("{0}: the index has no object 'weight_map'", index);
  ShardMap shards;
  for (const auto &[tensor, shard] : *weights) {
    std::optional<StringRef> name = shard.getAsString();
    if (!name)
      return makeError("{0}: the shard of tensor {1} is not a string", index,
                       quote(StringRef(tensor)));
    if (Error error = checkShardName(index, tensor, *name))
      return std::move(error);
    shards[name->str()].push_back(StringRef(tensor).str());
  }
  for (auto &[shard, tensors] : shards)
    llvm::sort(tensors);
  return shards;
}

static Error checkAgreement(StringRef index, const SafetensorsFile &file,
                            llvm::ArrayRef<std::string> listed) {
  for (StringRef tensor : listed)
    if (!file.find(tensor))
      return makeError("{0}: tensor {1} is not in {2}, where the index has it", index,
                       quote(tensor), path::filename(file.getPath()));
  for (const SafetensorsEntry &entry : file.getEntries())
    if (!llvm::binary_search(listed, entry.name))
      return makeError("{0}: tensor {1} of {2} is not in the index", index, quote(entry.name),
                       path::filename(file.getPath()));
  return Error::success();
}

Expected<WeightStore> WeightStore::openShards(StringRef folder, StringRef index) {
  Expected<std::string> realFolder = getRealFolder(folder);
  if (!realFolder)
    return realFolder.takeError();
  Expected<ShardMap> shards = readIndex(index);
  if (!shards)
    return shards.takeError();

  auto getShardPath = [&](StringRef shard) {
    llvm::SmallString<128> joined(folder);
    path::append(joined, shard);
    return joined;
  };
  std::vector<StringRef> missing;
  for (const auto &[shard, tensors] : *shards)
    if (!fs::exists(getShardPath(shard)))
      missing.push_back(shard);
  if (!missing.empty())
    return makeError("{0}: {1} of {2} shards are missing, the first is {3}; is the download "
                     "complete?",
                     index, missing.size(), shards->size(), quote(missing.front()));

  std::vector<SafetensorsFile> files;
  for (const auto &[shard, tensors] : *shards) {
    Expected<SafetensorsFile> file = SafetensorsFile::open(getShardPath(shard));
    if (!file)
      return file.takeError();
    if (!belongsTo(*realFolder, file->getRealPath()))
      return makeError("{0}: shard {1} is a link out of the folder, to {2}", index, quote(shard),
                       file->getRealPath());
    if (Error error = checkAgreement(index, *file, tensors))
      return std::move(error);
    files.push_back(std::move(*file));
  }
  return create(std::move(files));
}

static Expected<std::string> findOnlySafetensors(StringRef folder) {
  std::vector<std::string> found;
  std::error_code code;
  bool hasPickle = false;
  for (fs::directory_iterator it(folder, code), end; it != end && !code; it.increment(code)) {
    StringRef extension = path::extension(it->path());
    if (extension == ".safetensors")
      found.push_back(it->path());
    hasPickle |= extension == ".bin" || extension == ".pt" || extension == ".pth";
  }
  if (code)
    return makeError("cannot read the folder {0}: {1}", folder, code.message());
  if (found.size() == 1)
    return found.front();
  if (!found.empty())
    return makeError("{0}: {1} safetensors files but no model.safetensors and no "
                     "model.safetensors.index.json; name one of the files",
                     folder, found.size());
  return makeError("{0}: no safetensors files{1}", folder,
                   hasPickle ? "; convert the checkpoint with save_pretrained of transformers"
                             : " in this folder");
}

Expected<WeightStore> WeightStore::open(StringRef path) {
  llvm::SmallString<128> single(path), index(path);
  if (fs::is_directory(path)) {
    path::append(single, "model.safetensors");
    path::append(index, "model.safetensors.index.json");
    if (!fs::exists(single)) {
      if (fs::exists(index))
        return openShards(path, index);
      Expected<std::string> only = findOnlySafetensors(path);
      if (!only)
        return only.takeError();
      single = *only;
    }
  }
  Expected<SafetensorsFile> file = SafetensorsFile::open(single);
  if (!file)
    return file.takeError();
  std::vector<SafetensorsFile> files;
  files.push_back(std::move(*file));
  return create(std::move(files));
}

Expected<WeightStore::Place> WeightStore::find(StringRef name) const {
  auto it = places.find(name);
  if (it != places.end())
    return it->second;
  StringRef nearest;
  unsigned distance = std::max<size_t>(name.size() / 2, 1) + 1;
  for (StringRef candidate : names)
    if (unsigned d = candidate.edit_distance(name, true, distance); d < distance)
      nearest = candidate, distance = d;
  return makeError("the checkpoint has no tensor {0}{1}", quote(name),
                   nearest.empty() ? "" : "; did you mean " + quote(nearest) + "?");
}

Expected<Tensor> WeightStore::lookup(StringRef name) const {
  Expected<Place> place = find(name);
  if (!place)
    return place.takeError();
  auto [file, entry] = *place;
  if (file->isAligned(*entry))
    return file->getTensor(*entry);
  std::lock_guard<std::mutex> lock(copies->mutex);
  auto [copy, isNew] = copies->tensors.try_emplace(name);
  if (isNew)
    copy->second = file->getTensor(*entry);
  return copy->second;
}

Expected<FileRange> WeightStore::locate(StringRef name) const {
  Expected<Place> place = find(name);
  if (!place)
    return place.takeError();
  return place->file->getRange(*place->entry);
}

/// How many of the floating-point words have all bits of `exponent` set.
template <typename Word>
static int64_t countNonFinite(const Tensor &tensor, Word exponent, unsigned threads) {
  llvm::ArrayRef<Word> words = tensor.data<Word>();
  std::atomic<int64_t> total{0};
  parallelFor(threads, words.size(), [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i)
      count += (words[i] & exponent) == exponent;
    total += count;
  });
  return total;
}

static int64_t countNonFinite(const Tensor &tensor, unsigned threads) {
  switch (tensor.getDType()) {
  case DType::F32: return countNonFinite<uint32_t>(tensor, 0x7f800000, threads);
  case DType::F16: return countNonFinite<uint16_t>(tensor, 0x7c00, threads);
  case DType::BF16: return countNonFinite<uint16_t>(tensor, 0x7f80, threads);
  case DType::F64: return countNonFinite<uint64_t>(tensor, 0x7ff0000000000000, threads);
  default: return 0;
  }
}

Error WeightStore::checkFinite(unsigned threads) const {
  for (StringRef name : names) {
    Expected<Tensor> tensor = lookup(name);
    if (!tensor)
      return tensor.takeError();
    if (int64_t count = countNonFinite(*tensor, threads))
      return makeError("tensor {0} holds {1} values that are NaN or infinite, of {2}", quote(name),
                       count, tensor->getNumElements());
  }
  return Error::success();
}
