//===- BudgetTest.cpp - Budgets as people write them ----------------------===//

#include "ssmq/Assign/Budget.h"

#include "../Support/TempFolder.h"
#include "gtest/gtest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

TEST(BudgetTest, Units) {
  const ModelSize size{1001, 0};
  auto getBytes = [&](const char *text) {
    return llvm::cantFail(Budget::parse(text)).getBytes(size);
  };
  EXPECT_EQ(getBytes("4.5bpw"), 563); // 563.06
  EXPECT_EQ(getBytes("8 bpw"), 1001);
  EXPECT_EQ(getBytes("1200000B"), 1200000);
  EXPECT_EQ(getBytes("9007199254740991B"), 9007199254740991);
  EXPECT_EQ(getBytes("3MB"), 3000000);
  EXPECT_EQ(getBytes("1.5kB"), 1500);
  EXPECT_EQ(getBytes("1.5KB"), 1500);
  EXPECT_EQ(getBytes("2.5MiB"), 2621440);
  EXPECT_EQ(getBytes("1KiB"), 1024);
  EXPECT_EQ(getBytes(" 1GiB "), 1073741824);
  EXPECT_EQ(getBytes("0.5GB"), 500000000);
}

TEST(BudgetTest, Refusals) {
  auto refuse = [](llvm::StringRef text, const char *message) {
    expectMessage(getMessage(Budget::parse(text)), message);
  };
  refuse("4.5", "the budget '4.5' has no unit; write 4.5bpw for bits a weight, or 4.5MB");
  for (const char *text : {"", "bpw", "0bpw", "-1MB", "nanbpw", "inf", "1.2.3MB", ".MB", "0x10B"})
    EXPECT_NE(getMessage(Budget::parse(text)), "") << text;
  refuse("-1MB", "is no budget; write a number above 0 and its unit");
  refuse("1e3B", "unknown unit");
  refuse("3Mb", "unknown unit; understood are bpw, B, kB");
  refuse("65bpw", "above 64 bits a weight");
  refuse("99999999999999999999999GB", "above 2^60 bytes");
  refuse("x\ny", "'x\\x0ay' is no budget");
}

TEST(BudgetTest, BitsPerWeight) {
  EXPECT_DOUBLE_EQ(getBitsPerWeight(563, {1000, 0}), 4.504);
  EXPECT_EQ(getBitsPerWeight(5, {0, 5}), 0);
}

} // namespace
