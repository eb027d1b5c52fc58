//===- TeacherCache.h - A teacher's logits on file --------------*- C++ -*-===//
//
// All students of one evaluation are compared with the same logits; a file of them saves running
// the teacher again. It is a safetensors file of one tensor, "logits", f32 [positions, vocabulary]:
// every scored position, in order, unrounded, so that what is compared with it gives the same bits
// as a teacher that runs. Its metadata say what it belongs to. It is written as the teacher runs
// and read through a mapping, so that neither holds it in memory.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_TEACHERCACHE_H
#define SSMQ_MEASURE_TEACHERCACHE_H

#include "ssmq/Support/Tensor.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <string>

namespace ssmq {

struct TeacherCacheIdentity {
  /// Tells one teacher from another: a hash of its weights, and what runs it.
  std::string teacher;
  /// SequenceSet::getDigest.
  std::string tokensDigest;
  int64_t sequenceLength = 0, numScored = 0, vocabSize = 0;
};

class TeacherCache {
public:
  /// Fails when the file is damaged or belongs to another evaluation. An expected teacher without
  /// a name fits any.
  static llvm::Expected<TeacherCache> open(llvm::StringRef path,
                                           const TeacherCacheIdentity &expected);

  /// Rows of the positions [first, first + count), borrowed from the mapping.
  Tensor getLogits(int64_t first, int64_t count) const;

private:
  Tensor logits;
};

/// Writes the rows that `getLogits` gives for each sequence; `threads` sequences are asked for at
/// a time. The file appears complete or not at all.
llvm::Error
writeTeacherCache(llvm::StringRef path, const TeacherCacheIdentity &identity, int64_t numSequences,
                  unsigned threads,
                  llvm::function_ref<llvm::Expected<Tensor>(int64_t sequence)> getLogits);

} // namespace ssmq

#endif // SSMQ_MEASURE_TEACHERCACHE_H
