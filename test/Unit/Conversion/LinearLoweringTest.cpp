//===- LinearLoweringTest.cpp - Linear and embedding, compiled ------------===//

#include "LoweringTest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

struct Shape2D {
  int64_t outputs, inputs;
};

class LinearLoweringTest : public LoweringTest {
protected:
  void checkFloat(Shape2D shape, llvm::StringRef type, bool bias, LoweringCase test = {}) {
    ProgramText text(shape.inputs);
    std::string weightType = format("$0x$1x", {shape.outputs, shape.inputs}) + type.str();
    std::string biasType = format("$0x", {shape.outputs}) + type.str();
    text.weight("w", weightType).weight("b", biasType);
    text.line(llvm::Twine("%y = ssm.linear %x, %w") + (bias ? " bias %b" : "") + " : (tensor<?x" +
              llvm::Twine(shape.inputs) + "xf32>, tensor<" + weightType + ">" +
              (bias ? ", tensor<" + biasType + ">" : "") + ") -> tensor<?x" +
              llvm::Twine(shape.outputs) + "xf32>");
    test.text = text.finish(shape.outputs);
    check(test);
  }

  void checkPacked(Shape2D shape, int64_t bits, int64_t group, bool zeroPoints,
                   LoweringCase test = {}) {
    ProgramText text(shape.inputs);
    int64_t bytes = (shape.inputs * bits + 7) / 8, groups = (shape.inputs + group - 1) / group;
    std::string weightType = format("$0x$1xi8", {shape.outputs, bytes});
    std::string scaleType = format("$0x$1xf16", {shape.outputs, groups});
    std::string zeroType = format("$0x$1xi8", {shape.outputs, groups});
    text.weight("q", weightType).weight("scales", scaleType).weight("zeros", zeroType);
    text.line(format("%y = ssm.linear %x, %q scales %scales", {}) +
              (zeroPoints ? " zero_points %zeros" : "") +
              format(" {group_size = $0 : i64, packed_bits = $1 : i64} : (tensor<?x$2xf32>, ",
                     {group, bits, shape.inputs}) +
              "tensor<" + weightType + ">, tensor<" + scaleType + ">" +
              (zeroPoints ? ", tensor<" + zeroType + ">" : "") +
              format(") -> tensor<?x$0xf32>", {shape.outputs}));
    test.text = text.finish(shape.outputs);
    check(test);
  }
};

TEST_F(LinearLoweringTest, FloatOfAnyShape) {
  for (Shape2D shape : {Shape2D{13, 10}, {64, 64}, {1, 1}, {7, 37}, {40, 100}})
    checkFloat(shape, "f32", shape.outputs % 2);
}

TEST_F(LinearLoweringTest, HalfWeights) {
  for (const char *type : {"f16", "bf16"})
    checkFloat({33, 50}, type, true);
}

TEST_F(LinearLoweringTest, VectorWidths) {
  for (unsigned width : {1, 4, 8, 16, 32}) {
    LoweringCase test;
    test.vectorWidth = width;
    checkFloat({19, 45}, "f32", true, test);
    checkPacked({19, 45}, 4, 16, true, test);
  }
}

TEST_F(LinearLoweringTest, WithoutThreadsOrDecode) {
  LoweringCase test;
  test.threads = false;
  checkFloat({19, 45}, "f32", false, test);
  test.decode = false;
  checkFloat({19, 45}, "f32", false, test);
}

TEST_F(LinearLoweringTest, PackedBytes) {
  for (Shape2D shape : {Shape2D{13, 64}, {9, 70}, {1, 5}})
    for (auto [group, zeroPoints] : {std::pair(32, false), {5, true}, {1000, true}})
      checkPacked(shape, 8, group, zeroPoints);
}

TEST_F(LinearLoweringTest, PackedNibbles) {
  for (Shape2D shape : {Shape2D{13, 64}, {9, 70}, {1, 5}, {24, 33}})
    for (auto [group, zeroPoints] : {std::pair(32, false), {6, true}, {1000, true}})
      checkPacked(shape, 4, group, zeroPoints);
}

TEST_F(LinearLoweringTest, RuntimeLibrary) {
  LoweringCase test;
  test.gemmLibrary = true;
  for (const char *type : {"f32", "f16", "bf16"})
    checkFloat({19, 45}, type, true, test);
}

// Groups of an odd size begin inside a byte.
TEST_F(LinearLoweringTest, PackedNibblesInOddGroups) { checkPacked({6, 17}, 4, 3, true); }

TEST_F(LinearLoweringTest, HalfTables) {
  for (const char *type : {"f32", "f16", "bf16"}) {
    ProgramText text(21, type);
    text.line("%y = arith.addf %x, %x : tensor<?x21xf32>");
    check({text.finish(21)});
  }
}

TEST_F(LinearLoweringTest, PackedTables) {
  for (int64_t bits : {4, 8})
    for (int64_t group : {16, 6, 100}) {
      ProgramText text(8);
      int64_t groups = (42 + group - 1) / group;
      std::string table = format("23x$0xi8", {42 * bits / 8}),
                  groupType = format("23x$0x", {groups});
      text.weight("q", table).weight("scales", groupType + "f16").weight("zeros", groupType + "i8");
      text.line("%y = ssm.embedding %tokens, %q scales %scales zero_points %zeros " +
                format("{group_size = $0 : i64, packed_bits = $1 : i64}", {group, bits}) +
                " : (tensor<?xi32>, tensor<" + table + ">, tensor<" + groupType + "f16>, tensor<" +
                groupType + "i8>) -> tensor<?x42xf32>");
      check({text.finish(42)});
    }
}

TEST_F(LinearLoweringTest, RefusesWhatIsNotPacked) {
  ProgramText text(8);
  text.weight("q", "4x8x!quant.any<i4:f32>").weight("scales", "4x1xf16");
  text.line("%y = ssm.linear %x, %q scales %scales {group_size = 8 : i64} : (tensor<?x8xf32>, "
            "tensor<4x8x!quant.any<i4:f32>>, tensor<4x1xf16>) -> tensor<?x4xf32>");
  EXPECT_EQ(lowerFails(text.finish(4)),
            "the quantized weight is not packed; run --ssmq-pack first");
}

TEST_F(LinearLoweringTest, RefusesOtherWidths) {
  ProgramText text(8);
  text.weight("q", "4x6xi8").weight("scales", "4x1xf16");
  text.line("%y = ssm.linear %x, %q scales %scales {group_size = 8 : i64, packed_bits = 6 : i64} : "
            "(tensor<?x8xf32>, tensor<4x6xi8>, tensor<4x1xf16>) -> tensor<?x4xf32>");
  EXPECT_EQ(lowerFails(text.finish(4)),
            "no kernel unpacks codes of 6 bits; packed_bits must be 4 or 8");
}

} // namespace
