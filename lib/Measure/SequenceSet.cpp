//===- SequenceSet.cpp - What a program is measured on --------------------===//

#include "ssmq/Measure/SequenceSet.h"

#include "ssmq/Import/Safetensors.h"
#include "ssmq/Support/Error.h"
#include "ssmq/Support/Json.h"
#include "ssmq/Support/Program.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace ssmq;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static std::string toHex(uint64_t hash) { return llvm::formatv("{0:x-16}", hash); }

static uint64_t hashBytes(const void *data, size_t numBytes) {
  return llvm::xxh3_64bits(llvm::ArrayRef(static_cast<const uint8_t *>(data), numBytes));
}

static uint64_t hashTensor(const Tensor &tensor) {
  return tensor ? hashBytes(tensor.getRawData(), tensor.getNumBytes()) : 0;
}

Expected<SequenceSet> SequenceSet::ofText(llvm::ArrayRef<int32_t> tokens, int64_t length) {
  if (length < 2)
    return makeError("the sequence length is {0}; it must be 2 or more", length);
  if (tokens.size() < 2)
    return makeError("the text has {0} tokens; scoring needs 2 or more", tokens.size());
  SequenceSet set;
  set.targets = tokens.vec();
  set.sequences = cutText(set.targets, length);
  set.digest = toHex(hashBytes(tokens.data(), tokens.size() * sizeof(int32_t)));
  set.length = length;
  return set;
}

Expected<SequenceSet> SequenceSet::read(StringRef path, int64_t length) {
  if (path.ends_with(".safetensors"))
    return readLabelled(path);
  Expected<std::vector<int32_t>> tokens = readTokenFile(path);
  if (!tokens)
    return tokens.takeError();
  Expected<SequenceSet> set = ofText(*tokens, length);
  if (!set)
    return makeError("{0}: {1}", path, llvm::toString(set.takeError()));
  return set;
}

/// Null when the file has no such tensor and need not.
static Expected<Tensor> readCounts(const SafetensorsFile &file, StringRef name, int64_t count,
                                   bool isOptional) {
  const SafetensorsEntry *entry = file.find(name);
  if (!entry && isOptional)
    return Tensor();
  if (!entry || entry->type != DType::I64 || entry->shape != Shape{count})
    return makeError("{0}: {1} must be i64 [{2}], one for each sequence", file.getPath(), name,
                     count);
  return file.getTensor(*entry);
}

Expected<SequenceSet> SequenceSet::readLabelled(StringRef path) {
  Expected<SafetensorsFile> file = SafetensorsFile::open(path);
  if (!file)
    return file.takeError();
  const SafetensorsEntry *entry = file->find("inputs");
  bool hasFeatures = entry && entry->type == DType::F32 && entry->shape.size() == 3;
  bool hasTokens = entry && entry->type == DType::I32 && entry->shape.size() == 2;
  if (!hasFeatures && !hasTokens)
    return makeError("{0}: labelled sequences need inputs, f32 [sequences, steps, features] or "
                     "i32 [sequences, steps]",
                     path);
  int64_t count = entry->shape[0], numSteps = entry->shape[1];
  if (llvm::is_contained(entry->shape, 0))
    return makeError("{0} holds no sequence", path);
  Expected<Tensor> labels = readCounts(*file, "labels", count, /*isOptional=*/false);
  if (!labels)
    return labels.takeError();
  Expected<Tensor> lengths = readCounts(*file, "lengths", count, /*isOptional=*/true);
  if (!lengths)
    return lengths.takeError();

  SequenceSet set;
  set.labelled = true;
  set.length = numSteps;
  for (int64_t label : labels->data<int64_t>()) {
    if (label < 0 || label > std::numeric_limits<int32_t>::max())
      return makeError("{0}: label {1} is no class", path, label);
    set.targets.push_back(static_cast<int32_t>(label));
  }
  Tensor inputs = file->getTensor(*entry);
  Tensor rows = inputs.reshape(Shape{count * numSteps, hasFeatures ? entry->shape[2] : 1});
  for (int64_t i = 0; i < count; ++i) {
    int64_t steps = *lengths ? lengths->data<int64_t>()[i] : numSteps;
    if (steps < 1 || steps > numSteps)
      return makeError("{0}: sequence {1} has {2} steps; it must be 1 to {3}", path, i, steps,
                       numSteps);
    Tensor sequence = takeSteps(rows, i * numSteps, steps);
    if (hasTokens)
      sequence = sequence.reshape({steps});
    set.sequences.push_back({sequence, llvm::ArrayRef(set.targets).slice(i, 1)});
  }
  uint64_t parts[] = {hashTensor(inputs), hashTensor(*labels), hashTensor(*lengths)};
  set.digest = toHex(hashBytes(parts, sizeof(parts)));
  return set;
}

int64_t SequenceSet::getNumScored() const {
  int64_t count = 0;
  for (const Sequence &sequence : sequences)
    count += sequence.targets.size();
  return count;
}

void SequenceSet::truncate(size_t count) {
  if (count < sequences.size())
    sequences.resize(count);
}

void SequenceSet::keepSteps(int64_t numSteps) {
  llvm::erase_if(sequences,
                 [&](const Sequence &sequence) { return sequence.getNumSteps() != numSteps; });
}

Error SequenceSet::check(const Program &program) const {
  for (const Sequence &sequence : sequences) {
    if (program.getNumRows(sequence.getNumSteps()) != static_cast<int64_t>(sequence.targets.size()))
      return createStringError(labelled ? "labelled sequences are for classifiers, whose logits "
                                          "are one row; give a text of tokens"
                                        : "a classifier needs labelled sequences, a .safetensors "
                                          "file; a text of tokens has no labels");
    bool hasFeatures = sequence.inputs.getRank() == 2;
    int64_t features = hasFeatures ? sequence.inputs.getDim(1) : 0;
    if (features != program.getNumFeatures())
      return makeError("the sequences have {0} features a step and the program reads {1} (0 stands "
                       "for token ids)",
                       features, program.getNumFeatures());
    // Targets are looked up without being fed, so that programs do not check them all.
    for (int32_t target : sequence.targets)
      if (target < 0 || target >= program.getVocabSize())
        return makeError(labelled ? "label {0} is not one of the program's {1} classes"
                                  : "token {0} is outside the vocabulary of {1}",
                         target, program.getVocabSize());
  }
  return Error::success();
}
