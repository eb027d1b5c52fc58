//===- AttentionLoweringTest.cpp - Attention and rotary, compiled ---------===//

#include "LoweringTest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class AttentionLoweringTest : public LoweringTest {
protected:
  void checkAttention(int64_t queryHeads, int64_t cacheHeads, int64_t headDim, int64_t window,
                      int32_t numTokens = 13, unsigned vectorWidth = 0) {
    int64_t query = queryHeads * headDim, key = cacheHeads * headDim, width = query + 2 * key;
    ProgramText text(width);
    text.state("keys", format("?x$0xf32", {key})).state("values", format("?x$0xf32", {key}));
    auto slice = [&](llvm::StringRef name, int64_t at, int64_t columns) {
      text.line("%" + name +
                format(" = tensor.extract_slice %x[0, $0] [%n, $1] [1, 1] : tensor<?x$2xf32> to "
                       "tensor<?x$1xf32>",
                       {at, columns, width}));
    };
    slice("q", 0, query);
    slice("k", query, key);
    slice("v", query + key, key);
    text.line(format("%y, %next_keys, %next_values = ssm.attention %q, %k, %v, caches %keys, "
                     "%values at %position {head_dim = $2 : i64, scale = 2.5 : f32, "
                     "window = $3 : i64} : (tensor<?x$0xf32>, tensor<?x$1xf32>, tensor<?x$1xf32>, "
                     "tensor<?x$1xf32>, tensor<?x$1xf32>, tensor<i32>) -> (tensor<?x$0xf32>, "
                     "tensor<?x$1xf32>, tensor<?x$1xf32>)",
                     {query, key, headDim, window}));
    LoweringCase test{text.finish(query)};
    test.numTokens = numTokens;
    test.vectorWidth = vectorWidth;
    check(test);
  }
};

TEST_F(AttentionLoweringTest, GroupedHeads) {
  checkAttention(4, 2, 16, 0);
  checkAttention(3, 1, 5, 0);
  checkAttention(2, 2, 64, 0);
  checkAttention(1, 1, 1, 0);
}

TEST_F(AttentionLoweringTest, Window) {
  checkAttention(2, 1, 12, 1);
  checkAttention(2, 1, 12, 4);
  checkAttention(2, 1, 12, 9);
}

/// Blocks of queries and keys: whole ones and parts, keys of which a query sees none.
TEST_F(AttentionLoweringTest, Blocks) {
  for (unsigned width : {8, 16}) {
    checkAttention(4, 2, 16, 0, 140, width);
    checkAttention(2, 1, 48, 5, 75, width);
    checkAttention(1, 1, 80, 70, 140, width);
    checkAttention(3, 1, 5, 0, 75, width);
  }
}

TEST_F(AttentionLoweringTest, Rotary) {
  for (auto [heads, headDim, rotaryDim] : {std::tuple(3, 16, 16), {2, 10, 6}, {1, 64, 64}}) {
    int64_t width = heads * headDim;
    ProgramText text(width);
    text.line(format("%y = ssm.rotary %x at %position {head_dim = $1 : i64, theta = 1.0e4 : f32, "
                     "rotary_dim = $2 : i64} : (tensor<?x$0xf32>, tensor<i32>) -> tensor<?x$0xf32>",
                     {width, headDim, rotaryDim}));
    check({text.finish(width)});
  }
}

} // namespace
