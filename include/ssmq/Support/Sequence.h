//===- Sequence.h - What a program is fed and scored on ---------*- C++ -*-===//
//
// A program reads steps: token ids, i32 [T], or features, f32 [T, C]. A language model gives a row
// of logits after each step, whose target is the token that follows; a classifier gives one row for
// all steps, whose target is the sequence's class.
//
//===----------------------------------------------------------------------===//

#ifndef SSMQ_SUPPORT_SEQUENCE_H
#define SSMQ_SUPPORT_SEQUENCE_H

#include "ssmq/Support/Tensor.h"
#include <vector>

namespace ssmq {

struct Sequence {
  Tensor inputs;
  /// One for each row of logits, owned by whoever made the sequence.
  llvm::ArrayRef<int32_t> targets;

  int64_t getNumSteps() const { return inputs.getDim(0); }
};

/// `count` steps of inputs from `first` on; shares the bytes.
Tensor takeSteps(const Tensor &inputs, int64_t first, int64_t count);

/// Cuts a text into sequences of `length` tokens, 2 or more; a last one of fewer than two is
/// dropped. The last token of each is only predicted, never fed; the first is never predicted.
/// Borrows the tokens.
std::vector<Sequence> cutText(llvm::ArrayRef<int32_t> tokens, int64_t length);

} // namespace ssmq

#endif // SSMQ_SUPPORT_SEQUENCE_H
