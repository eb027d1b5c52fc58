//===- NormLoweringTest.cpp - Norms and elementwise chains, compiled ------===//

#include "LoweringTest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class NormLoweringTest : public LoweringTest {};

TEST_F(NormLoweringTest, RMSNorm) {
  for (auto [columns, groups] : {std::pair(10, 1), {64, 2}, {39, 3}, {1, 1}}) {
    ProgramText text(columns);
    text.weight("w", format("$0xf16", {columns}));
    text.line(format("%y = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32, groups = $1 : i64} : "
                     "(tensor<?x$0xf32>, tensor<$0xf16>) -> tensor<?x$0xf32>",
                     {columns, groups}));
    check({text.finish(columns)});
  }
}

TEST_F(NormLoweringTest, LayerNorm) {
  for (int64_t columns : {10, 67})
    for (bool bias : {false, true}) {
      ProgramText text(columns);
      text.weight("w", format("$0xf32", {columns})).weight("b", format("$0xbf16", {columns}));
      text.line(format("%y = ssm.layer_norm %x, %w", {}) + (bias ? " bias %b" : "") +
                format(" {eps = 1.0e-5 : f32} : (tensor<?x$0xf32>, tensor<$0xf32>", {columns}) +
                (bias ? format(", tensor<$0xbf16>", {columns}) : "") +
                format(") -> tensor<?x$0xf32>", {columns}));
      check({text.finish(columns)});
    }
}

TEST_F(NormLoweringTest, ElementwiseChain) {
  ProgramText text(37);
  text.weight("bias", "37xf16");
  text.line("%one = arith.constant 1.0 : f32");
  text.line("%ones = tensor.splat %one[%n] : tensor<?x37xf32>");
  text.line("%wide = arith.extf %bias : tensor<37xf16> to tensor<37xf32>");
  text.line("%empty = tensor.empty(%n) : tensor<?x37xf32>");
  text.line("%rows = linalg.broadcast ins(%wide : tensor<37xf32>) outs(%empty : tensor<?x37xf32>) "
            "dimensions = [0]");
  text.line("%shifted = arith.addf %x, %rows : tensor<?x37xf32>");
  text.line("%negated = arith.negf %shifted : tensor<?x37xf32>");
  text.line("%exp = math.exp %negated : tensor<?x37xf32>");
  text.line("%sum = arith.addf %exp, %ones : tensor<?x37xf32>");
  text.line("%silu = arith.divf %shifted, %sum : tensor<?x37xf32>");
  text.line("%log = math.log1p %exp : tensor<?x37xf32>");
  text.line("%tanh = math.tanh %log : tensor<?x37xf32>");
  text.line("%y = arith.mulf %silu, %tanh : tensor<?x37xf32>");
  check({text.finish(37)});
}

TEST_F(NormLoweringTest, ExponentialsOfAllSizes) {
  ProgramText text(16);
  text.line("%c = arith.constant 100.0 : f32");
  text.line("%factor = tensor.splat %c[%n] : tensor<?x16xf32>");
  text.line("%large = arith.mulf %x, %factor : tensor<?x16xf32>");
  text.line("%exp = math.exp %large : tensor<?x16xf32>");
  text.line("%cap = arith.constant 1.0e30 : f32");
  text.line("%caps = tensor.splat %cap[%n] : tensor<?x16xf32>");
  text.line("%y = arith.minimumf %exp, %caps : tensor<?x16xf32>");
  check({text.finish(16)});
}

// States that only change places are written from copies.
TEST_F(NormLoweringTest, SwappedStates) {
  ProgramText text(4);
  text.state("a", "4xf32").state("b", "4xf32");
  text.line(
      "%first = tensor.extract_slice %x[0, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>");
  text.line("%next_a = arith.addf %b, %first : tensor<4xf32>");
  text.line("%next_b = tensor.cast %a : tensor<4xf32> to tensor<4xf32>");
  text.line("%y = arith.addf %x, %x : tensor<?x4xf32>");
  check({text.finish(4)});
}

} // namespace
