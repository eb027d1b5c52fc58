//===- ScanLoweringTest.cpp - Convolution and scans, compiled -------------===//

#include "LoweringTest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class ScanLoweringTest : public LoweringTest {
protected:
  void checkConv(int64_t channels, int64_t taps, bool bias, const std::string &attributes = "",
                 float tieTolerance = 0, int32_t numTokens = 13) {
    ProgramText text(channels);
    text.weight("w", format("$0x1x$1xf16", {channels, taps}))
        .weight("b", format("$0xf16", {channels}))
        .state("conv", format("$1x$0xf32", {channels, taps - 1}));
    text.line(std::string("%y, %next_conv = ssm.causal_conv1d %x, %w") + (bias ? " bias %b" : "") +
              " state %conv" + attributes +
              format(" : (tensor<?x$0xf32>, tensor<$0x1x$1xf16>", {channels, taps}) +
              (bias ? format(", tensor<$0xf16>", {channels}) : "") +
              format(", tensor<$1x$0xf32>) -> (tensor<?x$0xf32>, tensor<$1x$0xf32>)",
                     {channels, taps - 1}));
    LoweringCase test{text.finish(channels)};
    test.tieTolerance = tieTolerance;
    test.numTokens = numTokens;
    check(test);
  }

  void checkPackedConv(int64_t channels, int64_t taps, int64_t bits, int64_t group) {
    ProgramText text(channels);
    int64_t bytes = (taps * bits + 7) / 8, groups = (taps + group - 1) / group;
    text.weight("q", format("$0x1x$1xi8", {channels, bytes}))
        .weight("scales", format("$0x$1xf16", {channels, groups}))
        .weight("zeros", format("$0x$1xi8", {channels, groups}))
        .state("conv", format("$1x$0xf32", {channels, taps - 1}));
    text.line(format("%y, %next_conv = ssm.causal_conv1d %x, %q scales %scales zero_points %zeros "
                     "state %conv {group_size = $5 : i64, packed_bits = $4 : i64} : "
                     "(tensor<?x$0xf32>, tensor<$0x1x$1xi8>, tensor<$0x$2xf16>, tensor<$0x$2xi8>, "
                     "tensor<$3x$0xf32>) -> (tensor<?x$0xf32>, tensor<$3x$0xf32>)",
                     {channels, bytes, groups, taps - 1, bits, group}));
    check({text.finish(channels)});
  }

  /// x, dt before its function, b and c are slices of the input, as after a projection.
  void sliceInput(ProgramText &text, int64_t width, std::array<int64_t, 4> columns) {
    int64_t at = 0;
    for (auto [name, size] : llvm::zip_equal(std::array{"input", "raw", "b", "c"}, columns)) {
      text.line(std::string("%") + name +
                format(" = tensor.extract_slice %x[0, $0] [%n, $1] [1, 1] : tensor<?x$2xf32> to "
                       "tensor<?x$1xf32>",
                       {at, size, width}));
      at += size;
    }
  }

  std::string ssdText(int64_t heads, int64_t headDim, int64_t states, int64_t groups, bool skip,
                      const std::string &attributes = "") {
    int64_t inner = heads * headDim, group = groups * states, width = inner + heads + 2 * group;
    ProgramText text(width);
    text.weight("decay", format("$0xf32", {heads})).weight("d", format("$0xf16", {heads}));
    text.state("scan", format("$0x$1x$2xf32", {heads, headDim, states}));
    sliceInput(text, width, {inner, heads, group, group});
    text.line(format("%dt = math.exp %raw : tensor<?x$0xf32>", {heads}));
    text.line(std::string("%y, %next_scan = ssm.ssd_scan %input dt %dt a %decay b %b c %c") +
              (skip ? " d %d" : "") + " state %scan" + attributes +
              format(" : (tensor<?x$0xf32>, tensor<?x$1xf32>, tensor<$1xf32>, "
                     "tensor<?x$2xf32>, tensor<?x$2xf32>",
                     {inner, heads, group}) +
              (skip ? format(", tensor<$0xf16>", {heads}) : "") +
              format(", tensor<$1x$2x$3xf32>) -> (tensor<?x$0xf32>, tensor<$1x$2x$3xf32>)",
                     {inner, heads, headDim, states}));
    return text.finish(inner);
  }
  void checkSSD(int64_t heads, int64_t headDim, int64_t states, int64_t groups, bool skip) {
    check({ssdText(heads, headDim, states, groups, skip)});
  }

  std::string selectiveText(int64_t channels, int64_t states, bool skip,
                            const std::string &attributes = "") {
    int64_t width = 2 * channels + 2 * states;
    ProgramText text(width);
    text.weight("decay", format("$0x$1xf32", {channels, states}))
        .weight("d", format("$0xf32", {channels}));
    text.state("scan", format("$0x$1xf32", {channels, states}));
    sliceInput(text, width, {channels, channels, states, states});
    text.line(format("%dt = math.exp %raw : tensor<?x$0xf32>", {channels}));
    text.line(std::string("%y, %next_scan = ssm.selective_scan %input dt %dt a %decay b %b c %c") +
              (skip ? " d %d" : "") + " state %scan" + attributes +
              format(" : (tensor<?x$0xf32>, tensor<?x$0xf32>, tensor<$0x$1xf32>, "
                     "tensor<?x$1xf32>, tensor<?x$1xf32>",
                     {channels, states}) +
              (skip ? format(", tensor<$0xf32>", {channels}) : "") +
              format(", tensor<$0x$1xf32>) -> (tensor<?x$0xf32>, tensor<$0x$1xf32>)",
                     {channels, states}));
    return text.finish(channels);
  }
  void checkSelective(int64_t channels, int64_t states, bool skip) {
    check({selectiveText(channels, states, skip)});
  }

  static std::string inFormat(const std::string &spelling) {
    return " {state_format = #ssm.format<\"" + spelling + "\">}";
  }
  /// Both vector widths, since chunks of a row differ.
  void checkStored(const std::string &text, float step, int64_t group = 0, int32_t numTokens = 13) {
    for (unsigned width : {8, 16}) {
      LoweringCase test{text};
      test.numTokens = numTokens;
      test.vectorWidth = width;
      test.tieTolerance = step;
      test.stateGroup = group;
      check(test);
    }
  }
};

TEST_F(ScanLoweringTest, Convolution) {
  checkConv(40, 4, true);
  checkConv(21, 3, false);
  checkConv(5, 2, true);
  checkConv(16, 1, true);
  // Blocks of tokens, which are as long as the history at least.
  checkConv(21, 4, true, "", 0, 75);
  checkConv(5, 41, false, "", 0, 100);
  checkConv(21, 4, true, inFormat("bf16"), 1e-2f, 75);
}

TEST_F(ScanLoweringTest, PackedConvolution) {
  checkPackedConv(21, 4, 8, 4);
  checkPackedConv(21, 4, 4, 4);
  checkPackedConv(21, 3, 4, 8);
  checkPackedConv(33, 5, 4, 2);
}

TEST_F(ScanLoweringTest, SSDScan) {
  checkSSD(4, 16, 16, 1, true);
  checkSSD(3, 4, 5, 1, false);
  checkSSD(4, 7, 24, 2, true);
  checkSSD(2, 64, 64, 1, true);
  checkSSD(1, 3, 96, 1, true);
}

/// Prompts of many tokens take matrix products; here with two whole chunks and a part.
TEST_F(ScanLoweringTest, SSDChunks) {
  for (unsigned width : {8, 16})
    for (const std::string &text :
         {ssdText(4, 16, 16, 2, true), ssdText(2, 64, 20, 1, true), ssdText(1, 40, 24, 1, false),
          ssdText(3, 7, 5, 3, true), ssdText(2, 3, 128, 1, true)}) {
      LoweringCase test{text};
      test.vectorWidth = width;
      test.numTokens = 75;
      check(test);
    }
}

TEST_F(ScanLoweringTest, ThreadsDoNotMatter) { checkThreads(ssdText(3, 12, 8, 1, true)); }

TEST_F(ScanLoweringTest, SelectiveScan) {
  checkSelective(32, 16, true);
  checkSelective(21, 5, false);
  checkSelective(3, 24, true);
}

TEST_F(ScanLoweringTest, StatesInHalfPrecision) {
  checkStored(ssdText(3, 4, 24, 1, true, inFormat("f16")), 1e-3f);
  checkStored(ssdText(2, 6, 16, 2, false, inFormat("bf16")), 1e-2f);
  checkStored(selectiveText(21, 16, true, inFormat("f16")), 1e-3f);
  checkStored(selectiveText(5, 24, false, inFormat("bf16")), 1e-2f);
  checkConv(21, 4, true, inFormat("f16"), 1e-3f);
  checkConv(40, 3, false, inFormat("bf16"), 1e-2f);
}

TEST_F(ScanLoweringTest, StatesInCodes) {
  checkStored(ssdText(3, 4, 24, 1, true, inFormat("i8 sym per_head")), 3e-2f);
  checkStored(ssdText(2, 5, 40, 2, false, inFormat("i8 sym per_head")), 3e-2f);
  checkStored(ssdText(3, 4, 24, 1, true, inFormat("i8 sym per_channel")), 3e-2f);
  checkStored(ssdText(2, 6, 40, 2, false, inFormat("i8 sym group=16")), 3e-2f, 16);
  checkStored(selectiveText(21, 16, true, inFormat("i8 sym per_channel")), 3e-2f);
  checkStored(selectiveText(6, 24, false, inFormat("i8 sym group=10")), 3e-2f, 10);
}

/// The matrix products work on a copy in f32, which is rounded behind the last token.
TEST_F(ScanLoweringTest, ChunksOfStoredStates) {
  checkStored(ssdText(3, 16, 24, 1, true, inFormat("f16")), 1e-3f, 0, 75);
  checkStored(ssdText(2, 7, 32, 1, false, inFormat("bf16")), 1e-2f, 0, 75);
  checkStored(ssdText(2, 16, 40, 2, true, inFormat("i8 sym per_head")), 3e-2f, 0, 75);
  checkStored(ssdText(2, 16, 24, 1, true, inFormat("i8 sym per_channel")), 3e-2f, 0, 75);
  checkStored(ssdText(2, 6, 40, 2, false, inFormat("i8 sym group=16")), 3e-2f, 16, 75);
}

TEST_F(ScanLoweringTest, ThreadsDoNotMatterForCodes) {
  checkThreads(ssdText(3, 12, 8, 1, true, inFormat("i8 sym per_head")));
}

TEST_F(ScanLoweringTest, StatesWithoutAStoredForm) {
  EXPECT_EQ(lowerFails(ssdText(2, 4, 8, 1, true, inFormat("i4 sym per_head"))),
            "no kernel rounds site ':state' to format 'i4 sym per_head'; run the interpreter");
}

} // namespace
