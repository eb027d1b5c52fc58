//===- Sequence.cpp - What a program is fed and scored on -----------------===//

#include "ssmq/Support/Sequence.h"

using namespace ssmq;

Tensor ssmq::takeSteps(const Tensor &inputs, int64_t first, int64_t count) {
  Shape shape(inputs.getShape());
  shape[0] = count;
  int64_t stepBytes = inputs.getDim(0) ? inputs.getNumBytes() / inputs.getDim(0) : 0;
  return Tensor::borrow(inputs.getDType(), shape,
                        static_cast<const char *>(inputs.getRawData()) + first * stepBytes,
                        std::make_shared<Tensor>(inputs));
}

std::vector<Sequence> ssmq::cutText(llvm::ArrayRef<int32_t> tokens, int64_t length) {
  std::vector<Sequence> sequences;
  while (tokens.size() >= 2) {
    llvm::ArrayRef<int32_t> cut = tokens.take_front(length);
    sequences.push_back({Tensor::borrow(DType::I32, {static_cast<int64_t>(cut.size()) - 1},
                                        cut.data(), /*owner=*/nullptr),
                         cut.drop_front()});
    tokens = tokens.drop_front(cut.size());
  }
  return sequences;
}
