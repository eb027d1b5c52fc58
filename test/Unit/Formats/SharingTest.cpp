//===- SharingTest.cpp - Which values share a scale -----------------------===//

#include "../Support/TempFolder.h"
#include "FormatTestUtils.h"
#include "ssmq/Formats/StaticRanges.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace ssmq;
using namespace ssmq::test;

namespace {

using Runs = std::vector<std::vector<int64_t>>;

/// Rows [row, row + rows) x columns [column, column + columns), as indices.
std::vector<int64_t> getBlock(const ValueLayout &layout, int64_t row, int64_t rows, int64_t column,
                              int64_t columns) {
  std::vector<int64_t> indices;
  for (int64_t i = row; i < std::min(row + rows, layout.rows); ++i)
    for (int64_t j = column; j < std::min(column + columns, layout.columns); ++j)
      indices.push_back(i * layout.columns + j);
  return indices;
}

/// All blocks of this size.
Runs cut(const ValueLayout &layout, int64_t rows, int64_t columns) {
  Runs runs;
  for (int64_t row = 0; row < layout.rows; row += rows)
    for (int64_t column = 0; column < layout.columns; column += columns)
      runs.push_back(getBlock(layout, row, rows, column, columns));
  return runs;
}

Tensor makeValue(const ValueLayout &layout, unsigned seed = 1) {
  return makeWeight({layout.rows, layout.columns}, seed, 1.f, seed % 3);
}

/// Each run rounded alone.
Tensor roundAlone(const std::string &numerics, const Tensor &value, const Runs &runs) {
  auto whole = getFormat(numerics + " per_tensor");
  Tensor result = value.clone();
  for (const std::vector<int64_t> &run : runs) {
    int64_t size = run.size();
    Tensor alone = Tensor::empty(DType::F32, {1, size});
    for (int64_t i = 0; i < size; ++i)
      alone.mutableData<float>()[i] = value.data<float>()[run[i]];
    alone = llvm::cantFail(whole->round(alone, {SiteKind::Weight, 1, size, 0}, nullptr));
    for (int64_t i = 0; i < size; ++i)
      result.mutableData<float>()[run[i]] = alone.data<float>()[i];
  }
  return result;
}

void expectSameBits(const Tensor &a, const Tensor &b, const std::string &what) {
  ASSERT_EQ(a.getShape(), b.getShape());
  EXPECT_EQ(std::memcmp(a.getRawData(), b.getRawData(), a.getNumBytes()), 0) << what;
}

/// The table of Sharing.h, by brute force, on any number of threads, in place and not.
TEST(SharingTest, RunsAreRoundedAlone) {
  for (bool large : {false, true}) {
    int64_t rows = large ? 96 : 6, columns = large ? 330 : 10, head = large ? 30 : 2;
    ValueLayout weight{SiteKind::Weight, rows, columns, large ? 32 : 3};
    ValueLayout cache{SiteKind::Cache, rows, columns, head};
    struct {
      std::string sharing;
      ValueLayout layout;
      Runs runs;
    } cases[] = {
        {" per_tensor", weight, cut(weight, rows, columns)},
        {" per_channel", weight, cut(weight, 1, columns)},
        {" per_head", weight, cut(weight, weight.headSize, columns)},
        {" group=4", weight, cut(weight, 1, 4)},
        {" group=512", weight, cut(weight, 1, columns)},
        {" per_tensor", cache, cut(cache, rows, columns)},
        {" per_token", cache, cut(cache, 1, columns)},
        {" per_head", cache, cut(cache, 1, head)},
        {" group=4", cache, cut(cache, 1, 4)},
    };
    for (const auto &one : cases)
      for (const char *numerics : {"i4 sym", "i8 asym", "f8E4M3", "nf4", "logpolar<3,5>"}) {
        auto format = getFormat(numerics + one.sharing);
        std::string what = format->getSpelling() + " of " + getName(one.layout.kind).str();
        Tensor value = makeValue(one.layout);
        Tensor expected = roundAlone(numerics, value, one.runs);
        for (unsigned threads : {1, 2, 3, 8})
          expectSameBits(llvm::cantFail(format->round(value, one.layout, nullptr, threads)),
                         expected, what);
        Tensor inPlace = value.clone();
        llvm::cantFail(format->roundInPlace(inPlace.mutableData<float>(), one.layout, nullptr, 2));
        expectSameBits(inPlace, expected, what);
      }
  }
}

/// With static ranges each run is clipped to the range it was calibrated to.
TEST(SharingTest, StaticRunsAreRoundedAlone) {
  ValueLayout activation{SiteKind::Activation, 300, 10, 5}, wide{SiteKind::Activation, 300, 37, 0},
      state{SiteKind::State, 6, 10, 3};
  struct {
    std::string sharing;
    ValueLayout layout;
    Runs runs;
  } cases[] = {
      {" per_tensor", activation, cut(activation, 300, 10)},
      {" per_channel", activation, cut(activation, 300, 1)},
      {" per_channel", wide, cut(wide, 300, 1)},
      {" per_head", activation, cut(activation, 300, 5)},
      {" group=4", activation, cut(activation, 300, 4)},
      {" per_tensor", state, cut(state, 6, 10)},
      {" per_channel", state, cut(state, 1, 10)},
      {" per_head", state, cut(state, 3, 10)},
      {" group=4", state, cut(state, 1, 4)},
  };
  for (const auto &one : cases)
    for (const char *numerics : {"i4 sym", "i8 asym", "i16 sym", "f8E5M2"}) {
      auto format = getFormat(numerics + one.sharing + " static=100");
      // Everything was seen, so that nothing is clipped: the values of the dynamic format.
      Tensor value = makeValue(one.layout);
      StaticRanges ranges(*format);
      llvm::cantFail(ranges.add(value.data<float>(), one.layout));
      EXPECT_EQ(ranges.getRanges().size(), one.runs.size());
      Tensor expected = roundAlone(numerics, value, one.runs);
      for (unsigned threads : {1, 3})
        expectSameBits(llvm::cantFail(format->round(value, one.layout, &ranges, threads)), expected,
                       format->getSpelling());
      // Idempotent, and what is larger takes the ends.
      expectSameBits(llvm::cantFail(format->round(expected, one.layout, &ranges)), expected,
                     format->getSpelling());
      Tensor larger = value.clone();
      for (float &x : larger.mutableData<float>())
        x *= 100;
      Tensor clipped = llvm::cantFail(format->round(larger, one.layout, &ranges));
      for (const std::vector<int64_t> &run : one.runs) {
        float low = 0, high = 0;
        for (int64_t i : run) {
          low = std::min(low, value.data<float>()[i]);
          high = std::max(high, value.data<float>()[i]);
        }
        float most = std::max(high, -low) * 1.1f;
        for (int64_t i : run)
          EXPECT_LE(std::abs(clipped.data<float>()[i]), most);
      }
    }
}

TEST(SharingTest, LayoutsThatMakeNoSense) {
  struct {
    const char *spelling;
    ValueLayout layout;
    const char *message;
  } cases[] = {
      {"i8 sym per_token", {SiteKind::Weight, 4, 4, 0}, "per_token needs rows that are tokens"},
      {"i8 sym per_token", {SiteKind::State, 4, 4, 0}, "per_token needs rows that are tokens"},
      {"i8 sym per_channel", {SiteKind::Activation, 4, 4, 0}, "needs ranges known beforehand"},
      {"i8 sym per_head", {SiteKind::Weight, 4, 4, 0}, "per_head needs heads"},
      {"i8 sym per_head", {SiteKind::State, 5, 4, 2}, "5 channels are not a multiple"},
      {"i8 sym per_head", {SiteKind::Cache, 4, 5, 2}, "5 channels are not a multiple"},
      {"i8 sym per_tensor static=99", {SiteKind::Weight, 4, 4, 0}, "known beforehand"},
      {"i8 sym per_tensor static=99", {SiteKind::Norm, 4, 4, 0}, "known beforehand"},
      {"i8 sym per_token static=99", {SiteKind::Activation, 4, 4, 0}, "cannot be static"},
      {"logpolar<2,4> per_tensor", {SiteKind::Parameter, 4, 3, 0}, "even number of columns"},
      {"logpolar<2,4> group=3", {SiteKind::Parameter, 4, 6, 0}, "even group"},
      {"f16", {SiteKind::Weight, -1, 3, 0}, "negative dimension"},
  };
  for (const auto &one : cases)
    expectMessage(getMessage(getFormat(one.spelling)->checkLayout(one.layout)),
                  std::string("format '") + one.spelling + "': "),
        expectMessage(getMessage(getFormat(one.spelling)->checkLayout(one.layout)), one.message);
  auto format = getFormat("i8 sym per_tensor static=99");
  Tensor value = makeValue({SiteKind::State, 2, 2, 0});
  expectMessage(getMessage(format->round(value, {SiteKind::State, 2, 2, 0}, nullptr)),
                "needs ranges from calibration");
  StaticRanges ranges(*format);
  expectMessage(getMessage(format->round(value, {SiteKind::State, 2, 2, 0}, &ranges)),
                "needs 1 ranges, but calibration has 0");
  expectMessage(getMessage(getFormat("f16")->round(value, {SiteKind::State, 2, 3, 0}, nullptr)),
                "the value has 4 elements, but its layout is 2 x 3");
}

TEST(SharingTest, EmptyValues) {
  for (SiteKind kind : allSiteKinds)
    for (llvm::StringRef spelling : getDefaultFormats(kind))
      for (auto [rows, columns] : {std::pair(0, 4), std::pair(4, 0)}) {
        auto format = getFormat(spelling.str());
        ValueLayout layout{kind, rows, columns, 4};
        StaticRanges ranges(*format);
        if (format->needsRanges())
          llvm::cantFail(ranges.add({}, layout));
        Tensor empty = Tensor::empty(DType::F32, {rows, columns});
        auto result = format->round(empty, layout, &ranges, 2);
        EXPECT_EQ(getMessage(std::move(result)), "") << spelling.str();
      }
}

TEST(SharingTest, NumberOfBytes) {
  ValueLayout weight{SiteKind::Weight, 6, 10, 3}, cache{SiteKind::Cache, 7, 10, 5};
  struct {
    const char *spelling;
    ValueLayout layout;
    int64_t bytes;
  } cases[] = {
      {"f16", weight, 120},
      {"bf16", weight, 120},
      {"i4 sym per_tensor", weight, 6 * 5 + 2},
      {"i4 sym per_head", weight, 6 * 5 + 2 * 2},
      {"i3 asym group=4", weight, 6 * (4 + 3 * 3)},
      {"i16 sym per_channel", weight, 6 * (20 + 2)},
      {"i16 asym per_channel", weight, 6 * (20 + 4)},
      {"f8E4M3 per_channel", weight, 6 * (10 + 2)},
      {"mxfp4", weight, 6 * (5 + 1)},
      {"mxfp4", {SiteKind::Weight, 4, 64, 0}, 4 * 64 * 17 / 32},
      {"nf4 group=4", weight, 6 * (5 + 3 * 2)},
      {"log2<8> per_channel", weight, 6 * (10 + 8)},
      {"logpolar<3,5> per_tensor", weight, 6 * 5 + 8},
      {"i8 sym per_token", cache, 7 * (10 + 2)},
      {"i8 sym per_head", cache, 7 * (10 + 4)},
      {"i8 sym per_channel static=99.9", cache, 7 * 10 + 10 * 2},
      {"i8 asym per_tensor static=99.9", cache, 7 * 10 + 3},
      {"i8 sym per_head", {SiteKind::Weight, 6, 10, 0}, 0},
  };
  for (const auto &one : cases)
    EXPECT_EQ(getFormat(one.spelling)->getNumBytes(one.layout), one.bytes) << one.spelling;
}

TEST(SharingTest, SameOnALayout) {
  ValueLayout weight{SiteKind::Weight, 6, 10, 1};
  auto isSame = [&](const char *a, const char *b) {
    return getFormat(a)->isSameOn(*getFormat(b), weight);
  };
  EXPECT_TRUE(isSame("i4 sym per_channel", "i4 sym group=10"));
  EXPECT_TRUE(isSame("i4 sym group=16", "i4 sym group=10"));
  EXPECT_FALSE(isSame("i4 sym per_channel", "i4 sym per_tensor"));
  EXPECT_FALSE(isSame("i4 sym per_channel", "i4 asym per_channel"));
  EXPECT_FALSE(isSame("i4 sym per_channel", "i4 sym per_channel static=99"));
  EXPECT_FALSE(isSame("i4 sym per_token", "i4 sym per_token"));
}

} // namespace
