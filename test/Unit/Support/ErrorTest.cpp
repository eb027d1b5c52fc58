//===- ErrorTest.cpp - Messages stay one printable line -------------------===//

#include "ssmq/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "gtest/gtest.h"

using namespace ssmq;

TEST(Error, MessagesAreFormattedOnOneLine) {
  EXPECT_EQ(llvm::toString(makeError("{0}: {1} of {2}", "file", 3, std::string("a\nb"))),
            "file: 3 of a\\x0ab");
}

TEST(Error, ArgumentsAreNoFormats) {
  EXPECT_EQ(llvm::toString(makeError("{0}", "%s {1} %n")), "%s {1} %n");
}

TEST(Error, BrokenTextIsRepaired) {
  EXPECT_EQ(toOneLine("\x1b[31m\x7f"), "\\x1b[31m\\x7f");
  EXPECT_TRUE(llvm::json::isUTF8(toOneLine("a\xff\xc3")));
  EXPECT_EQ(toOneLine("\xc3\xa4"), "\xc3\xa4");
}

TEST(Error, QuotesAreCut) {
  EXPECT_EQ(quote("a"), "'a'");
  EXPECT_EQ(quote(std::string(100, 'x')), "'" + std::string(100, 'x') + "'");
  EXPECT_EQ(quote(std::string(101, 'x')), "'" + std::string(100, 'x') + "...'");
}
