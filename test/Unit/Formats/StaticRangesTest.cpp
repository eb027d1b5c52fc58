//===- StaticRangesTest.cpp - Ranges from calibration ---------------------===//

#include "ssmq/Formats/StaticRanges.h"

#include "../Support/TempFolder.h"
#include "FormatTestUtils.h"
#include "gtest/gtest.h"
#include <cmath>
#include <numeric>

using namespace ssmq;
using namespace ssmq::test;

namespace {

StaticRanges observe(const std::string &spelling, const std::vector<float> &values) {
  StaticRanges ranges(*getFormat(spelling));
  llvm::cantFail(ranges.add(values, {SiteKind::State, 1, int64_t(values.size()), 0}));
  return ranges;
}

/// 1 ... n in an order that is not sorted, the even ones negative when `mixed`.
std::vector<float> makeRanks(int n, bool mixed) {
  std::vector<float> values(n);
  for (int i = 0; i < n; ++i) {
    int rank = (i * 7) % n + 1; // n is no multiple of 7
    values[i] = mixed && rank % 2 == 0 ? -rank : rank;
  }
  return values;
}

TEST(StaticRangesTest, NearestRank) {
  for (auto [spelling, low, high] :
       {std::tuple("i8 sym per_tensor static=100", -1000.f, 1000.f),
        {"i8 sym per_tensor static=99", -990.f, 990.f},
        {"i8 sym per_tensor static=99.95", -1000.f, 1000.f},
        {"i8 sym per_tensor static=50.000001", -501.f, 501.f},
        {"i8 asym per_tensor static=100", -1000.f, 999.f},
        // The 990th smallest and the 990th largest of -1000, -998, ..., 997, 999.
        {"i8 asym per_tensor static=99", -980.f, 979.f}}) {
    StaticRanges ranges = observe(spelling, makeRanks(1000, true));
    ASSERT_EQ(ranges.getRanges().size(), 1u);
    EXPECT_EQ(ranges.getRanges()[0].low, low) << spelling;
    EXPECT_EQ(ranges.getRanges()[0].high, high) << spelling;
  }
  // Zero is in every range.
  StaticRanges ranges = observe("i8 asym per_tensor static=99", makeRanks(1000, false));
  EXPECT_EQ(ranges.getRanges()[0].low, 0);
  EXPECT_EQ(ranges.getRanges()[0].high, 990);
}

/// Observations in any order and any split give the same ranges: the widest.
TEST(StaticRangesTest, OrderAndSplitDoNotMatter) {
  for (const char *spelling : {"i8 sym per_channel static=90", "i8 asym group=8 static=90"}) {
    auto format = getFormat(spelling);
    auto add = [&](StaticRanges &ranges, int sequence) {
      // Sequences differ in length.
      ValueLayout layout{SiteKind::Activation, 20 + 5 * sequence, 12, 0};
      Tensor value = makeWeight({layout.rows, layout.columns}, sequence, 1.f + sequence % 3);
      llvm::cantFail(ranges.add(value.data<float>(), layout));
    };
    StaticRanges all(*format), backwards(*format), odd(*format), even(*format), none(*format);
    for (int i = 0; i < 6; ++i) {
      add(all, i);
      add(backwards, 5 - i);
      add(i % 2 ? odd : even, i);
    }
    llvm::cantFail(none.merge(odd));
    llvm::cantFail(none.merge(even));
    llvm::cantFail(none.merge(StaticRanges(*format)));
    EXPECT_EQ(none.getNumObservations(), 6);
    for (const StaticRanges *other : {&backwards, &none}) {
      ASSERT_EQ(all.getRanges().size(), other->getRanges().size());
      for (auto [a, b] : llvm::zip(all.getRanges(), other->getRanges())) {
        EXPECT_EQ(a.low, b.low);
        EXPECT_EQ(a.high, b.high);
      }
    }
  }
}

TEST(StaticRangesTest, Keys) {
  auto key = [](const char *spelling) { return StaticRanges::getKey(*getFormat(spelling)); };
  EXPECT_EQ(key("i8 sym per_tensor static=99"), key("f8E4M3 per_tensor static=99"));
  EXPECT_EQ(key("i8 sym per_tensor static=99"), key("i4 sym per_tensor static=99"));
  EXPECT_NE(key("i8 sym per_tensor static=99"), key("i8 asym per_tensor static=99"));
  EXPECT_NE(key("i8 sym per_tensor static=99"), key("i8 sym per_tensor static=99.9"));
  EXPECT_NE(key("i8 sym group=8 static=99"), key("i8 sym group=4 static=99"));
}

TEST(StaticRangesTest, Refusals) {
  StaticRanges dynamic(*getFormat("i8 sym per_tensor"));
  expectMessage(getMessage(dynamic.add({1.f}, {SiteKind::State, 1, 1, 0})), "has no ranges");
  auto format = getFormat("i8 sym per_channel static=99");
  StaticRanges ranges(*format), other(*getFormat("i8 sym per_tensor static=99"));
  expectMessage(getMessage(ranges.add({1.f}, {SiteKind::Weight, 1, 1, 0})), "known beforehand");
  expectMessage(getMessage(ranges.add({NAN}, {SiteKind::State, 1, 1, 0})), "not finite");
  expectMessage(getMessage(ranges.add({1.f}, {SiteKind::State, 1, 2, 0})), "has 1 elements");
  EXPECT_EQ(ranges.getNumObservations(), 0);
  llvm::cantFail(ranges.add({1.f, 2.f}, {SiteKind::Activation, 1, 2, 0}));
  expectMessage(getMessage(ranges.add({1.f}, {SiteKind::Activation, 1, 1, 0})),
                "calibration has 2 ranges, but another observation has 1");
  expectMessage(getMessage(ranges.merge(other)), "cannot be merged");
}

} // namespace
