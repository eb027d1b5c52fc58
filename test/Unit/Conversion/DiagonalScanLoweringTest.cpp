//===- DiagonalScanLoweringTest.cpp - S4D's states, compiled --------------===//
//
// The fast kernels of the interpreter compute a step by the same instructions as compiled code, so
// that states that are rounded to other codes anywhere would be off by a step of their format.
//
//===----------------------------------------------------------------------===//

#include "LoweringTest.h"
#include "llvm/Support/FormatVariadic.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

constexpr int64_t kHeads = 5;

class DiagonalScanLoweringTest : public LoweringTest {
protected:
  /// `factor` scales the inputs, and with them the states.
  static std::string scanText(llvm::StringRef spelling, int64_t columns, float factor = 1,
                              bool skip = true) {
    ProgramText text(kHeads);
    std::string type = test::format("$0x$1xf32", {kHeads, columns});
    text.weight("a", type).weight("b", type).weight("c", type);
    text.weight("d", test::format("$0xf16", {kHeads})).state("s", type);
    text.line("%f = arith.constant " + llvm::formatv("{0:e8}", factor).str() + " : f32");
    text.line("%factors = tensor.splat %f[%n] : tensor<?x5xf32>");
    text.line("%scaled = arith.mulf %x, %factors : tensor<?x5xf32>");
    text.line("%y, %next_s = ssm.diagonal_scan %scaled a %a b %b c %c " +
              std::string(skip ? "d %d " : "") + "state %s {state_format = #ssm.format<\"" +
              spelling.str() + "\">" + rangesOf(spelling, columns) +
              "} : (tensor<?x5xf32>, tensor<" + type + ">, tensor<" + type + ">, tensor<" + type +
              ">, " + (skip ? "tensor<5xf16>, " : "") + "tensor<" + type +
              ">) -> (tensor<?x5xf32>, tensor<" + type + ">)");
    return text.finish(kHeads);
  }

  void checkStates(llvm::StringRef spelling, int64_t columns, float factor = 1,
                   unsigned vectorWidth = 8) {
    LoweringCase test{scanText(spelling, columns, factor)};
    test.tolerance = 5e-6f;
    test.vectorWidth = vectorWidth;
    test.kernels = KernelSet::Fast;
    // Of those that are stored in codes.
    test.stateGroup = spelling == "i8 sym group=6" ? 6 : 0;
    check(test);
  }

private:
  /// Of static formats, a pair a scale, some of which clip.
  static std::string rangesOf(llvm::StringRef spelling, int64_t columns) {
    if (!spelling.contains("static"))
      return "";
    int64_t count = kHeads;
    if (spelling.contains("per_tensor"))
      count = 1;
    else if (spelling.contains("group=6"))
      count = kHeads * ((columns + 5) / 6);
    bool isSymmetric = !spelling.contains("asym");
    std::string ranges;
    for (int64_t i = 0; i < count; ++i) {
      float high = 0.5f + 0.5f * float(i % 5), low = isSymmetric ? high : 0.3f * float(i % 7);
      ranges += (i ? ", " : "") + std::to_string(-low) + ", " + std::to_string(high);
    }
    return ", state_ranges = array<f32: " + ranges + ">";
  }
};

TEST_F(DiagonalScanLoweringTest, IntegersOfEachWidth) {
  for (int64_t bits : {2, 3, 4, 5, 6, 7, 8, 16})
    for (const char *numerics : {"i$0 sym per_head", "i$0 asym per_head"})
      checkStates(format(numerics, {bits}), 10);
}

TEST_F(DiagonalScanLoweringTest, EachSharing) {
  for (std::string numerics : {"i8 sym ", "i6 asym ", "i16 sym ", "i16 asym ", "f8E4M3 "})
    for (const char *sharing :
         {"per_tensor", "per_head", "per_channel", "group=6", "per_tensor static=99",
          "per_head static=99", "per_channel static=99", "group=6 static=99"})
      checkStates(numerics + sharing, 22);
}

TEST_F(DiagonalScanLoweringTest, Floats) {
  for (const char *format : {"f16", "bf16", "f8E5M2 per_tensor", "f8E5M2 per_head", "mxfp4"})
    checkStates(format, 40);
}

TEST_F(DiagonalScanLoweringTest, VectorWidths) {
  for (unsigned width : {1, 4, 16, 32})
    for (const char *format : {"i8 asym per_head", "i5 sym per_tensor", "i8 sym group=6", "mxfp4"})
      checkStates(format, 34, 1, width);
}

/// Scales near the least f16, zeros, and numbers near the largest that scales hold.
TEST_F(DiagonalScanLoweringTest, Extremes) {
  for (float factor : {3e-4f, 3e-6f, 2e-7f, 0.0f, 3e3f})
    for (const char *format : {"i8 sym per_head", "i8 asym per_tensor", "i4 asym per_head",
                               "i16 asym per_head", "f8E4M3 per_head", "f8E5M2 group=6", "f16"})
      checkStates(format, 12, factor);
}

/// The interpreter stops; here the next tokens' outputs show it.
TEST_F(DiagonalScanLoweringTest, TooLargeForScales) {
  for (const char *format : {"i8 sym per_head", "i8 asym per_head", "i4 asym group=6",
                             "i8 asym per_tensor", "f8E4M3 per_head", "f16"}) {
    std::vector<float> values = runCompiled(scanText(format, 12, 1e37f));
    ASSERT_GT(values.size(), 9u * kHeads);
    EXPECT_TRUE(llvm::none_of(llvm::ArrayRef(values).slice(kHeads, 8 * kHeads), [](float value) {
      return std::isfinite(value);
    })) << format;
  }
}

TEST_F(DiagonalScanLoweringTest, ThreadsDoNotMatter) {
  checkThreads(scanText("i8 asym per_head", 24));
  checkThreads(scanText("i8 asym per_tensor", 24));
}

TEST_F(DiagonalScanLoweringTest, RefusesOtherFormats) {
  for (std::string format : {"log2<8> per_head", "logpolar<4,4> per_head", "nf4 group=8"})
    EXPECT_EQ(lowerFails(scanText(format, 8)),
              "no kernel rounds site ':state' to format '" + format + "'; run the interpreter");
}

} // namespace
