//===- Embedding.cpp - Token embedding ------------------------------------===//

#include "ssmq/Kernels/Embedding.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace ssmq;

llvm::Expected<Tensor> ssmq::embedding(const Tensor &ids, const Tensor &table) {
  int64_t tokens = ids.getDim(0), vocabulary = table.getDim(0), width = table.getDim(1);
  Tensor result = Tensor::empty(DType::F32, {tokens, width});
  const float *rows = table.data<float>().data();
  float *out = result.mutableData<float>().data();
  for (auto [t, id] : llvm::enumerate(ids.data<int32_t>())) {
    if (id < 0 || id >= vocabulary)
      return llvm::createStringError("token id " + llvm::Twine(id) + " at position " +
                                     llvm::Twine(t) + " is outside the vocabulary of " +
                                     llvm::Twine(vocabulary) +
                                     " entries; tokenize with this model's own tokenizer");
    std::copy_n(rows + id * width, width, out + t * width);
  }
  return result;
}
