//===- EmbeddingTest.cpp - Token embedding --------------------------------===//

#include "ssmq/Kernels/Embedding.h"

#include "KernelTestUtils.h"

using namespace ssmq;
using namespace ssmq::testing;

TEST(Embedding, CopiesRows) {
  Tensor ids = Tensor::fromData<int32_t>({3}, {2, 0, 2});
  llvm::Expected<Tensor> result = embedding(ids, tensor({3, 2}, {1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(static_cast<bool>(result));
  expectSameBits(*result, tensor({3, 2}, {5, 6, 1, 2, 5, 6}));
}

TEST(Embedding, RefusesIdsOutsideTheVocabulary) {
  for (int32_t id : {-1, 3}) {
    llvm::Expected<Tensor> result =
        embedding(Tensor::fromData<int32_t>({2}, {0, id}), Tensor::zeros(DType::F32, {3, 2}));
    ASSERT_FALSE(static_cast<bool>(result));
    std::string message = llvm::toString(result.takeError());
    EXPECT_NE(message.find("token id " + std::to_string(id) + " at position 1"), std::string::npos);
    EXPECT_NE(message.find("3 entries"), std::string::npos);
  }
}
