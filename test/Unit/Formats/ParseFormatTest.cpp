//===- ParseFormatTest.cpp - Spellings of formats -------------------------===//

#include "../Support/TempFolder.h"
#include "FormatTestUtils.h"
#include "gtest/gtest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

TEST(ParseFormatTest, CanonicalSpellingsComeBack) {
  for (const std::string &spelling : getSpellings())
    EXPECT_EQ(getFormat(spelling)->getSpelling(), spelling);
}

TEST(ParseFormatTest, ShortSpellings) {
  EXPECT_EQ(getFormat("int4:g128")->getSpelling(), "i4 sym group=128");
  EXPECT_EQ(getFormat("int8:channel")->getSpelling(), "i8 sym per_channel");
  EXPECT_EQ(getFormat("int4:g64:asym")->getSpelling(), "i4 asym group=64");
  EXPECT_EQ(getFormat("int16:tensor")->getSpelling(), "i16 sym per_tensor");
  EXPECT_EQ(getFormat("int8:token")->getSpelling(), "i8 sym per_token");
  EXPECT_EQ(getFormat("int8:head:asym")->getSpelling(), "i8 asym per_head");
  EXPECT_EQ(getFormat("int8:tensor:asym:static99.990")->getSpelling(),
            "i8 asym per_tensor static=99.99");
  EXPECT_EQ(getFormat("int8:tensor:static100")->getSpelling(), "i8 sym per_tensor static=100");
}

TEST(ParseFormatTest, OtherNumerics) {
  for (const char *spelling :
       {"f16", "bf16", "mxfp4", "nf4 group=64", "nf4 per_channel", "f8E4M3 per_channel",
        "f8E5M2 per_tensor static=99.9", "log2<8> per_channel", "logpolar<1,4> per_head",
        "logpolar<1,4> stable per_head"})
    EXPECT_EQ(getFormat(spelling)->getSpelling(), spelling);
  EXPECT_EQ(getFormat("nf4")->getSpelling(), "nf4 group=64");
  EXPECT_EQ(getFormat("nf4:g32")->getSpelling(), "nf4 group=32");
  EXPECT_EQ(getFormat("f8e4m3:token")->getSpelling(), "f8E4M3 per_token");
  EXPECT_EQ(getFormat("f8e5m2:head")->getSpelling(), "f8E5M2 per_head");
  EXPECT_EQ(getFormat("log2<8>:channel")->getSpelling(), "log2<8> per_channel");
  EXPECT_EQ(getFormat("logpolar<1x4>:tensor")->getSpelling(), "logpolar<1,4> per_tensor");
  EXPECT_EQ(getFormat("logpolar<1x4>:head:stable")->getSpelling(), "logpolar<1,4> stable per_head");
}

/// Whatever parses is spelled in one way, which parses to itself.
TEST(ParseFormatTest, AnyTextIsRefusedOrCanonical) {
  const std::vector<std::string> parts = {"i4",
                                          "i16",
                                          "int8",
                                          "sym",
                                          "asym",
                                          "f8E4M3",
                                          "mxfp4",
                                          "nf4",
                                          "log2<8>",
                                          "logpolar<1,4>",
                                          "per_tensor",
                                          "per_head",
                                          "tensor",
                                          "token",
                                          "group=32",
                                          "g64",
                                          "static=99",
                                          "static50.5",
                                          "static=100.0",
                                          " ",
                                          " ",
                                          " ",
                                          ":",
                                          ":",
                                          ":",
                                          "<",
                                          "9",
                                          ""};
  std::mt19937 random(8);
  int accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (unsigned part = 0, count = 1 + random() % 7; part < count; ++part)
      text += parts[random() % parts.size()];
    auto format = parseFormat(text);
    if (!format) {
      llvm::consumeError(format.takeError());
      continue;
    }
    ++accepted;
    EXPECT_EQ(getFormat((*format)->getSpelling())->getSpelling(), (*format)->getSpelling()) << text;
  }
  EXPECT_GT(accepted, 100);
}

TEST(ParseFormatTest, DefaultsAreCanonical) {
  for (SiteKind kind : allSiteKinds)
    for (llvm::StringRef spelling : getDefaultFormats(kind)) {
      auto format = getFormat(spelling.str());
      EXPECT_EQ(format->getSpelling(), spelling);
      EXPECT_EQ(getMessage(format->checkLayout({kind, 8, 8, 4})), "");
    }
}

TEST(ParseFormatTest, Refusals) {
  for (const char *spelling : {"",
                               "i4",
                               "i1 sym per_channel",
                               "i9 sym per_channel",
                               "i4 sym",
                               "i4 sym group=0",
                               "i4 sym group=1",
                               "i4 sym group=-4",
                               "i4 sym group=04",
                               "i4 sym group=99999999999999999999",
                               "i4  sym per_channel",
                               "i4 sym per_channel ",
                               "u4 sym per_channel",
                               "int4",
                               "int4:",
                               "int4:g",
                               "int4:g64:sym:x",
                               "i4:g64",
                               "i4 other group=4",
                               "i+4 sym group=4",
                               "i12 sym per_channel",
                               "i4 per_channel",
                               "i4 sym",
                               "i4 sym sym per_channel",
                               "i4 sym per_channel per_token",
                               "int8:tensor:static",
                               "int8:tensor:static50",
                               "int8:tensor:static100.1",
                               "int8:tensor:static99.",
                               "int8:tensor:static99.1234567",
                               "int8:tensor:static-99",
                               "f16 per_tensor",
                               "f16 sym",
                               "bf16:channel",
                               "f8E4M3",
                               "f8e4m3:channel:sym",
                               "mxfp4 group=32",
                               "mxfp4:static99",
                               "nf4:g64:asym",
                               "log2<8>",
                               "log2<8:channel",
                               "log2<0> per_channel",
                               "log2<17> per_channel",
                               "log2<f16",
                               "log2<f16>",
                               "logpolar<1,4",
                               "logpolar<1> per_channel",
                               "logpolar<1,4> per_channel static=99",
                               "logpolar<1,13> per_channel",
                               "logpolar<1,4> stable stable per_channel",
                               "i8 sym stable per_channel",
                               "f16 stable"})
    expectMessage(getMessage(parseFormat(spelling)), "is not known; write for example");
  EXPECT_LT(getMessage(parseFormat(std::string(10000, 'x'))).size(), 400u);
}

} // namespace
