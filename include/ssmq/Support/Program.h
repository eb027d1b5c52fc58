//===- Program.h - A model that can be fed tokens ---------------*- C++ -*-===//
//
// What the interpreter and compiled code have in common: a program maps tokens and states to
// logits and the next states. Everything that measures or generates (perplexity, divergence, text)
// is written against this class and so runs on every back end.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_PROGRAM_H
#define SSMQ_SUPPORT_PROGRAM_H

#include "ssmq/Support/Tensor.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <vector>

namespace ssmq {

/// The states of one sequence (conv, scan, key and value caches, position), zero at the start.
struct ProgramState {
  std::vector<Tensor> values;
  /// Tokens fed so far, and how many the caches hold.
  int64_t length = 0;
  int64_t capacity = 0;
};

class Program {
public:
  virtual ~Program() = default;

  virtual int64_t getVocabSize() const = 0;
  /// The states before the first token, with room for `capacity` tokens in the caches.
  virtual llvm::Expected<ProgramState> createState(int64_t capacity) const = 0;
  /// Feeds tokens (each in [0, vocabulary)) and replaces the states. Returns logits [tokens, V] in
  /// f32 at every position. Fails on a token outside the vocabulary and past the capacity; the
  /// states are then unchanged. Calls with different states may run on different threads.
  virtual llvm::Expected<Tensor> forward(llvm::ArrayRef<int32_t> tokens,
                                         ProgramState &state) const = 0;
  /// The same for callers that want the logits after the last token only, [1, V] (of no tokens,
  /// [0, V]), as one does of a prompt. Compiled programs do not compute the others.
  virtual llvm::Expected<Tensor> forwardLast(llvm::ArrayRef<int32_t> tokens,
                                             ProgramState &state) const;
};

} // namespace ssmq

#endif // SSMQ_SUPPORT_PROGRAM_H
