//===- ScanLoweringTest.cpp - Convolution and scans, compiled -------------===//

#include "LoweringTest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class ScanLoweringTest : public LoweringTest {
protected:
  void checkConv(int64_t channels, int64_t taps, bool bias) {
    ProgramText text(channels);
    text.weight("w", format("$0x1x$1xf16", {channels, taps}))
        .weight("b", format("$0xf16", {channels}))
        .state("conv", format("$1x$0xf32", {channels, taps - 1}));
    text.line(std::string("%y, %next_conv = ssm.causal_conv1d %x, %w") + (bias ? " bias %b" : "") +
              format(" state %conv : (tensor<?x$0xf32>, tensor<$0x1x$1xf16>", {channels, taps}) +
              (bias ? format(", tensor<$0xf16>", {channels}) : "") +
              format(", tensor<$1x$0xf32>) -> (tensor<?x$0xf32>, tensor<$1x$0xf32>)",
                     {channels, taps - 1}));
    check({text.finish(channels)});
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

  std::string ssdText(int64_t heads, int64_t headDim, int64_t states, int64_t groups, bool skip) {
    int64_t inner = heads * headDim, group = groups * states, width = inner + heads + 2 * group;
    ProgramText text(width);
    text.weight("decay", format("$0xf32", {heads})).weight("d", format("$0xf16", {heads}));
    text.state("scan", format("$0x$1x$2xf32", {heads, headDim, states}));
    sliceInput(text, width, {inner, heads, group, group});
    text.line(format("%dt = math.exp %raw : tensor<?x$0xf32>", {heads}));
    text.line(std::string("%y, %next_scan = ssm.ssd_scan %input dt %dt a %decay b %b c %c") +
              (skip ? " d %d" : "") +
              format(" state %scan : (tensor<?x$0xf32>, tensor<?x$1xf32>, tensor<$1xf32>, "
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

  void checkSelective(int64_t channels, int64_t states, bool skip) {
    int64_t width = 2 * channels + 2 * states;
    ProgramText text(width);
    text.weight("decay", format("$0x$1xf32", {channels, states}))
        .weight("d", format("$0xf32", {channels}));
    text.state("scan", format("$0x$1xf32", {channels, states}));
    sliceInput(text, width, {channels, channels, states, states});
    text.line(format("%dt = math.exp %raw : tensor<?x$0xf32>", {channels}));
    text.line(std::string("%y, %next_scan = ssm.selective_scan %input dt %dt a %decay b %b c %c") +
              (skip ? " d %d" : "") +
              format(" state %scan : (tensor<?x$0xf32>, tensor<?x$0xf32>, tensor<$0x$1xf32>, "
                     "tensor<?x$1xf32>, tensor<?x$1xf32>",
                     {channels, states}) +
              (skip ? format(", tensor<$0xf32>", {channels}) : "") +
              format(", tensor<$0x$1xf32>) -> (tensor<?x$0xf32>, tensor<$0x$1xf32>)",
                     {channels, states}));
    check({text.finish(channels)});
  }
};

TEST_F(ScanLoweringTest, Convolution) {
  checkConv(40, 4, true);
  checkConv(21, 3, false);
  checkConv(5, 2, true);
  checkConv(16, 1, true);
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

TEST_F(ScanLoweringTest, ThreadsDoNotMatter) { checkThreads(ssdText(3, 12, 8, 1, true)); }

TEST_F(ScanLoweringTest, SelectiveScan) {
  checkSelective(32, 16, true);
  checkSelective(21, 5, false);
  checkSelective(3, 24, true);
}

} // namespace
