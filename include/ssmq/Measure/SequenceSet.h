//===- SequenceSet.h - What a program is measured on ------------*- C++ -*-===//
//
// Two kinds of files: a text, which is a JSON array of token ids to be cut into sequences, and
// labelled sequences, which are a safetensors file of
//   inputs   f32 [sequences, steps, features] or i32 [sequences, steps]
//   labels   i64 [sequences], the class of each
//   lengths  i64 [sequences], optional: the steps of each, 1 to `steps`; the rest is padding
// Each sequence starts from zero states.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_MEASURE_SEQUENCESET_H
#define SSMQ_MEASURE_SEQUENCESET_H

#include "ssmq/Support/Sequence.h"
#include "llvm/Support/Error.h"
#include <string>

namespace ssmq {

class Program;

class SequenceSet {
public:
  /// Copies the tokens. Fails when `length` is below 2 or there are fewer than 2 tokens.
  static llvm::Expected<SequenceSet> ofText(llvm::ArrayRef<int32_t> tokens, int64_t length);
  /// Either kind by its name: *.safetensors holds labelled sequences, whose own lengths count then.
  static llvm::Expected<SequenceSet> read(llvm::StringRef path, int64_t length);

  llvm::ArrayRef<Sequence> getSequences() const { return sequences; }
  /// Rows of logits that are scored.
  int64_t getNumScored() const;
  /// XXH3 of all tokens, or of inputs, lengths and labels; 16 hexadecimal digits.
  const std::string &getDigest() const { return digest; }
  /// Tokens of a sequence as it was cut; of labelled sequences the most steps.
  int64_t getLength() const { return length; }
  bool isLabelled() const { return labelled; }

  /// Keeps the first `count` sequences.
  void truncate(size_t count);
  /// Drops sequences of another number of steps.
  void keepSteps(int64_t numSteps);

  /// Fails when the program cannot be fed these sequences or has no logit for a target.
  llvm::Error check(const Program &program) const;

private:
  SequenceSet() = default;
  static llvm::Expected<SequenceSet> readLabelled(llvm::StringRef path);

  /// Where `sequences` point; moves keep the place.
  std::vector<int32_t> targets;
  std::vector<Sequence> sequences;
  std::string digest;
  int64_t length = 0;
  bool labelled = false;
};

} // namespace ssmq

#endif // SSMQ_MEASURE_SEQUENCESET_H
