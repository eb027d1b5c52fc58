//===- ProgressTest.cpp - The progress line -------------------------------===//

#include "ssmq/Support/Progress.h"

#include "ssmq/Support/Parallel.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace ssmq;

namespace {

TEST(ProgressTest, Line) {
  EXPECT_EQ(formatProgress("sweep", 148, 400, 148, 74), "sweep  37% 148/400  2.0/s  2:06 left");
  EXPECT_EQ(formatProgress("sweep", 300, 400, 1, 100), "sweep  75% 300/400  0.0/s  2:46:40 left");
  EXPECT_EQ(formatProgress("sweep", 0, 400, 0, 0), "sweep  0% 0/400");
  EXPECT_EQ(formatProgress("sweep", 0, 0, 0, 0), "sweep  100% 0/0");
}

TEST(ProgressTest, ShowsTheFirstAndTheLastStepAndCleansUp) {
  std::string text;
  llvm::raw_string_ostream out(text);
  {
    Progress progress("sweep", 1000, 200, out);
    parallelFor(4, 800, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        progress.advance();
    });
  }
  EXPECT_NE(text.find("201/1000"), std::string::npos) << text;
  EXPECT_NE(text.find("100% 1000/1000"), std::string::npos) << text;
  EXPECT_EQ(llvm::StringRef(text).take_back(4), "\r\033[K");
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

/// A rate that counted them would have at least twelve digits.
TEST(ProgressTest, EarlierStepsAreNotInTheRate) {
  std::string text;
  llvm::raw_string_ostream out(text);
  {
    Progress(llvm::StringRef("sweep"), int64_t(1) << 60, int64_t(1) << 59, out).advance();
  }
  size_t end = text.find("/s");
  ASSERT_NE(end, std::string::npos) << text;
  EXPECT_LT(end - text.rfind(' ', end), 13u) << text;
}

TEST(ProgressTest, NothingDrawnNothingCleaned) {
  std::string text;
  llvm::raw_string_ostream out(text);
  {
    Progress progress("sweep", 10, 0, out);
  }
  EXPECT_EQ(text, "");
}

} // namespace
