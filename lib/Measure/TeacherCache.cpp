//===- TeacherCache.cpp - A teacher's logits on file ----------------------===//

#include "ssmq/Measure/TeacherCache.h"

#include "SequenceLoop.h"
#include "ssmq/Import/Safetensors.h"
#include "ssmq/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace ssmq;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static constexpr llvm::StringLiteral tensorName = "logits";

/// The number of positions follows from the others and is the tensor's shape.
static SafetensorsMetadata getMetadata(const TeacherCacheIdentity &identity) {
  return {{"document", "ssmq-teacher-logits"},
          {"version", "1"},
          {"teacher", identity.teacher},
          {"tokensDigest", identity.tokensDigest},
          {"sequenceLength", std::to_string(identity.sequenceLength)},
          {"vocabSize", std::to_string(identity.vocabSize)}};
}

Expected<TeacherCache> TeacherCache::open(StringRef path, const TeacherCacheIdentity &expected) {
  Expected<SafetensorsFile> file = SafetensorsFile::open(path);
  if (!file)
    return file.takeError();
  const SafetensorsMetadata &found = file->getMetadata();
  SafetensorsMetadata wanted = getMetadata(expected);
  auto get = [&](const char *key) {
    auto it = found.find(key);
    return it == found.end() ? std::string() : it->second;
  };
  for (const char *key : {"document", "version"})
    if (get(key) != wanted[key])
      return makeError("{0}: this is no file of a teacher's logits (ssmq-teacher-logits 1)", path);
  if (expected.teacher.empty())
    wanted["teacher"] = get("teacher");
  for (const auto &[key, value] : wanted)
    if (get(key.c_str()) != value)
      return makeError("{0} belongs to another evaluation: its {1} is {2}, and here it is {3}; "
                       "name another file, or delete it to write it again",
                       path, key, quote(get(key.c_str())), quote(value));
  const SafetensorsEntry *entry = file->find(tensorName);
  int64_t shape[] = {expected.numScored, expected.vocabSize};
  if (!entry || entry->type != DType::F32 ||
      llvm::ArrayRef<int64_t>(entry->shape) != llvm::ArrayRef(shape))
    return makeError("{0} is damaged: it must hold {1}, f32 [{2}, {3}]; delete it to write it "
                     "again",
                     path, quote(tensorName), shape[0], shape[1]);
  TeacherCache cache;
  cache.logits = file->getTensor(*entry);
  return cache;
}

Tensor TeacherCache::getLogits(int64_t first, int64_t count) const {
  int64_t vocab = logits.getDim(1);
  // The owner of the borrowed rows is the whole tensor, which holds the mapping.
  auto whole = std::make_shared<Tensor>(logits);
  return Tensor::borrow(DType::F32, {count, vocab}, logits.data<float>().data() + first * vocab,
                        whole);
}

static Error checkSpace(StringRef path, int64_t numBytes) {
  StringRef folder = llvm::sys::path::parent_path(path);
  auto space = llvm::sys::fs::disk_space(folder.empty() ? "." : folder);
  if (!space || space->available >= static_cast<uint64_t>(numBytes))
    return Error::success();
  return makeError("cannot write {0}: {1} MB of logits, {2} MB free: {3}", path, numBytes / 1000000,
                   space->available / 1000000,
                   std::make_error_code(std::errc::no_space_on_device).message());
}

Error ssmq::writeTeacherCache(StringRef path, const TeacherCacheIdentity &identity,
                              int64_t numSequences, unsigned threads,
                              llvm::function_ref<Expected<Tensor>(int64_t)> getLogits) {
  int64_t shape[] = {identity.numScored, identity.vocabSize};
  std::optional<int64_t> numBytes = getCheckedNumBytes(DType::F32, shape);
  if (!numBytes)
    return makeError("{0}: {1} positions of {2} logits are too many for one file", path, shape[0],
                     shape[1]);
  if (Error error = checkSpace(path, *numBytes))
    return error;
  auto write = [&](llvm::raw_ostream &stream) -> Error {
    for (int64_t first = 0; first < numSequences; first += threads) {
      std::vector<Tensor> parts(std::min<int64_t>(threads, numSequences - first));
      Error error = forEachSequence(threads, first, first + parts.size(), [&](int64_t i) -> Error {
        Expected<Tensor> logits = getLogits(i);
        if (!logits)
          return logits.takeError();
        parts[i - first] = std::move(*logits);
        return Error::success();
      });
      if (error)
        return error;
      for (const Tensor &part : parts)
        stream.write(static_cast<const char *>(part.getRawData()), part.getNumBytes());
    }
    return Error::success();
  };
  return writeSafetensors(path, tensorName, DType::F32, shape, getMetadata(identity), write);
}
