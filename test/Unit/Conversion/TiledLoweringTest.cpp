//===- TiledLoweringTest.cpp - Products with tiled weights, compiled ------===//

#include "LoweringTest.h"
#include "ssmq/Formats/Tiling.h"
#include "llvm/TargetParser/Host.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

struct TiledCase {
  int64_t outputs, inputs, bits, group;
  bool zeroPoints = false, bias = false;
  /// Of the activations; f32 where empty.
  std::string format = {};
};

class TiledLoweringTest : public LoweringTest {
protected:
  static std::string getText(const TiledCase &c) {
    ProgramText text(c.inputs);
    TileLayout layout(c.outputs, c.inputs, c.group, c.bits);
    std::string tiles = format("$0x$1xi8", {layout.getNumTiles(), layout.getTileBytes()});
    std::string groups = format("$0x$1x16x", {layout.getNumTiles(), layout.getNumGroups()});
    std::string input = format("tensor<?x$0xf32>", {c.inputs}),
                bias = format("$0xf32", {c.outputs});
    text.weight("q", tiles).weight("scales", groups + "f16").weight("zeros", groups + "i8");
    text.weight("b", bias);
    if (!c.format.empty())
      text.line("%r = ssm.fake_quantize %x as <\"" + c.format + "\">" +
                (llvm::StringRef(c.format).contains("static") ? " {ranges = array<f32: -0.8, 0.8>}"
                                                              : "") +
                " : " + input);
    text.line(
        llvm::Twine("%y = ssm.linear ") + (c.format.empty() ? "%x" : "%r") + ", %q scales %scales" +
        (c.zeroPoints ? " zero_points %zeros" : "") + (c.bias ? " bias %b" : "") +
        format(" {group_size = $0 : i64, packed_bits = $1 : i64, rows = $2 : i64, tile_rows = "
               "16 : i64} : (",
               {c.group, c.bits, c.outputs}) +
        input + ", tensor<" + tiles + ">, tensor<" + groups + "f16>" +
        (c.zeroPoints ? ", tensor<" + groups + "i8>" : "") +
        (c.bias ? ", tensor<" + bias + ">" : "") + format(") -> tensor<?x$0xf32>", {c.outputs}));
    return text.finish(c.outputs);
  }

  void check(const TiledCase &c, llvm::StringRef dot = "auto", unsigned vectorWidth = 0) {
    LoweringCase test;
    test.text = getText(c);
    test.dotProduct = dot.str();
    test.vectorWidth = vectorWidth;
    LoweringTest::check(test);
  }

  /// Each kind of dot product that this machine can execute, with vectors that it takes.
  static std::vector<std::pair<std::string, unsigned>> getDotProducts() {
    std::vector<std::pair<std::string, unsigned>> kinds = {{"none", 2}, {"none", 8}};
    const llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
    if (features.lookup("avx2"))
      kinds.insert(kinds.end(), {{"avx2", 4}, {"avx2", 8}});
    if (features.lookup("avxvnni"))
      kinds.emplace_back("avx_vnni", 8);
    if (features.lookup("avxvnniint8"))
      kinds.emplace_back("avx_vnni_int8", 8);
    if (features.lookup("avx512vnni"))
      kinds.insert(kinds.end(), {{"avx512_vnni", 8}, {"avx512_vnni", 16}});
    return kinds;
  }
};

// More tiles than a block, a last one that is not full, and a single row.
TEST_F(TiledLoweringTest, Floats) {
  check({96, 64, 4, 32});
  check({1, 5, 8, 3});
  for (int64_t bits : {4, 8})
    check({37, 70, bits, 48, true, true});
}

TEST_F(TiledLoweringTest, FloatsInAnyWidth) {
  for (unsigned width : {1, 4, 8, 32})
    check({18, 45, 4, 1000, true}, "auto", width);
}

TEST_F(TiledLoweringTest, Integers) {
  for (int64_t bits : {4, 8})
    for (TiledCase c :
         {TiledCase{96, 128, bits, 64}, {1, 5, bits, 3}, {21, 160, bits, 1000, true}}) {
      c.format = "i8 sym per_token";
      check(c);
    }
}

TEST_F(TiledLoweringTest, IntegersByEachDotProduct) {
  for (const auto &[dot, width] : getDotProducts())
    for (int64_t bits : {4, 8})
      check({21, 70, bits, 48, true, true, "i8 sym per_token"}, dot, width);
}

// One scale a token, one for several groups of the weight, or one for all tokens.
TEST_F(TiledLoweringTest, IntegersInEachSharing) {
  int64_t bits = 4;
  for (const char *format : {"i8 sym group=32", "i6 sym group=64", "i4 sym group=512",
                             "i8 sym per_tensor static=99.9"}) {
    check({20, 150, bits, 32, true, false, format});
    bits = 12 - bits;
  }
}

// Groups of activations that end inside one of the weight: rounded, then multiplied in f32.
TEST_F(TiledLoweringTest, RoundedFloats) {
  for (const char *format : {"i8 sym group=16", "i8 asym per_token"})
    check({20, 150, 4, 32, true, false, format});
}

TEST_F(TiledLoweringTest, ThreadsDoNotMatter) {
  checkThreads(getText({130, 96, 4, 32, true, true}));
  checkThreads(getText({130, 96, 8, 32, true, true, "i8 sym per_token"}));
}

} // namespace
