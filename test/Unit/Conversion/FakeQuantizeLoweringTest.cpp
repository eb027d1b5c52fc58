//===- FakeQuantizeLoweringTest.cpp - Rounded activations, compiled -------===//

#include "LoweringTest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class FakeQuantizeLoweringTest : public LoweringTest {
protected:
  /// `factor` scales the activations. What is rounded must be equal, bit for bit.
  void checkRounding(llvm::StringRef format, int64_t columns, float factor = 1,
                     unsigned vectorWidth = 0) {
    ProgramText text(columns);
    std::string type = test::format("tensor<?x$0xf32>", {columns});
    text.line("%e = tensor.empty(%n) : " + type);
    text.line("%f = arith.constant " + std::to_string(factor) + " : f32");
    text.line("%scaled = linalg.generic {indexing_maps = [affine_map<(t, c) -> (t, c)>, "
              "affine_map<(t, c) -> (t, c)>], iterator_types = [\"parallel\", \"parallel\"]} "
              "ins(%x : " +
              type + ") outs(%e : " + type + ") {");
    text.line("^bb0(%in: f32, %out: f32):");
    text.line("%m = arith.mulf %in, %f : f32");
    text.line("linalg.yield %m : f32");
    text.line("} -> " + type);
    std::string head = format.contains("per_head") ? "head_size = 6 : i64, " : "";
    std::string ranges;
    if (format.contains("static")) {
      int64_t count = format.contains("per_channel") ? columns
                      : format.contains("per_head")  ? columns / 6
                      : format.contains("group")     ? (columns + 7) / 8
                                                     : 1;
      ranges = "ranges = array<f32: ";
      for (int64_t i = 0; i < count; ++i)
        ranges += (i ? ", " : "") + std::to_string(-0.1f * float(i % 7)) + ", " +
                  std::to_string(0.3f + 0.1f * float(i % 5));
      ranges += ">, ";
    }
    text.line("%y = ssm.fake_quantize %scaled as <\"" + format + "\"> {" + head + ranges +
              "site = \"site\"} : " + type);
    LoweringCase test;
    test.text = text.finish(columns);
    test.tolerance = 0;
    test.vectorWidth = vectorWidth;
    check(test);
  }
};

TEST_F(FakeQuantizeLoweringTest, EachWidthOfCodes) {
  for (int64_t bits = 2; bits <= 8; ++bits)
    for (const char *numerics : {"i$0 sym per_token", "i$0 asym per_token"})
      checkRounding(format(numerics, {bits}), 45);
}

TEST_F(FakeQuantizeLoweringTest, EachSharing) {
  for (std::string numerics : {"i8 sym ", "i5 asym "})
    for (const char *sharing :
         {"per_tensor", "per_head", "group=8", "group=7", "per_tensor static=99.9",
          "per_channel static=99.9", "per_head static=99.9", "group=8 static=99.9"})
      checkRounding(numerics + sharing, 42);
}

// Scales near the least f16, where codes do not reach the ends.
TEST_F(FakeQuantizeLoweringTest, CoarseScales) {
  for (float factor : {1e-4f, 3e-6f, 2e-7f, 0.0f, 1e5f})
    for (const char *format : {"i8 sym per_token", "i4 asym group=4", "i8 asym per_token"})
      checkRounding(format, 20, factor);
}

TEST_F(FakeQuantizeLoweringTest, VectorWidths) {
  for (unsigned width : {1, 4, 8, 32})
    checkRounding("i8 asym per_token", 29, 1, width);
}

TEST_F(FakeQuantizeLoweringTest, RefusesOtherFormats) {
  ProgramText text(8);
  text.line("%y = ssm.fake_quantize %x as <\"f8E4M3 per_token\"> {site = \"a:input\"} : "
            "tensor<?x8xf32>");
  EXPECT_EQ(lowerFails(text.finish(8)),
            "no kernel rounds site 'a:input' to format 'f8E4M3 per_token'; run the interpreter");
}

} // namespace
