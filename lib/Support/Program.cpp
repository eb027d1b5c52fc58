//===- Program.cpp - A model that can be fed tokens -----------------------===//

#include "ssmq/Support/Program.h"

using namespace ssmq;
using llvm::Expected;

Expected<Tensor> Program::forwardLast(llvm::ArrayRef<int32_t> tokens, ProgramState &state) const {
  Expected<Tensor> logits = forward(tokens, state);
  if (!logits || logits->getDim(0) < 2)
    return logits;
  return Tensor::fromData({1, getVocabSize()}, logits->data<float>().take_back(getVocabSize()));
}
