//===- Program.cpp - A model that can be fed ------------------------------===//

#include "ssmq/Support/Program.h"

using namespace ssmq;
using llvm::Expected;

static Tensor makeInputs(llvm::ArrayRef<int32_t> tokens) {
  return Tensor::fromData({static_cast<int64_t>(tokens.size())}, tokens);
}

Expected<Tensor> Program::forward(llvm::ArrayRef<int32_t> tokens, ProgramState &state) const {
  return forward(makeInputs(tokens), state);
}

Expected<Tensor> Program::forwardLast(llvm::ArrayRef<int32_t> tokens, ProgramState &state) const {
  return forwardLast(makeInputs(tokens), state);
}

Expected<Tensor> Program::forwardLast(const Tensor &inputs, ProgramState &state) const {
  Expected<Tensor> logits = forward(inputs, state);
  if (!logits || logits->getDim(0) < 2)
    return logits;
  return Tensor::fromData({1, getVocabSize()}, logits->data<float>().take_back(getVocabSize()));
}
