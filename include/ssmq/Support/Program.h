//===- Program.h - A model that can be fed ----------------------*- C++ -*-===//
//
// What the interpreter and compiled code have in common: a program maps inputs (token ids or
// features, Support/Sequence.h) and states to logits and the next states. Everything that measures
// or generates (perplexity, divergence, text) is written against this class and so runs on every
// back end.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_PROGRAM_H
#define SSMQ_SUPPORT_PROGRAM_H

#include "ssmq/Support/Sequence.h"
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

  /// Columns of the logits: tokens of the vocabulary, or classes.
  virtual int64_t getVocabSize() const = 0;
  /// Features of a step; 0 for programs that read token ids.
  virtual int64_t getNumFeatures() const { return 0; }
  /// Rows of logits that so many steps give: one each, or of a classifier one for all.
  virtual int64_t getNumRows(int64_t numSteps) const { return numSteps; }
  /// The states before the first token, with room for `capacity` tokens in the caches.
  virtual llvm::Expected<ProgramState> createState(int64_t capacity) const = 0;
  /// Feeds steps (token ids each in [0, vocabulary)) and replaces the states. Returns logits
  /// [rows, V] in f32. Fails on inputs of another kind, on a token outside the vocabulary and past
  /// the capacity; the states are then unchanged. Calls with different states may run on different
  /// threads.
  virtual llvm::Expected<Tensor> forward(const Tensor &inputs, ProgramState &state) const = 0;
  /// The same for callers that want the logits after the last step only, [1, V] (of no steps,
  /// [0, V]), as one does of a prompt. Compiled programs do not compute the others.
  virtual llvm::Expected<Tensor> forwardLast(const Tensor &inputs, ProgramState &state) const;

  llvm::Expected<Tensor> forward(llvm::ArrayRef<int32_t> tokens, ProgramState &state) const;
  llvm::Expected<Tensor> forwardLast(llvm::ArrayRef<int32_t> tokens, ProgramState &state) const;
};

} // namespace ssmq

#endif // SSMQ_SUPPORT_PROGRAM_H
