//===- FormatPropertyTest.cpp - What holds for every format ---------------===//

#include "../Support/TempFolder.h"
#include "FormatTestUtils.h"
#include "ssmq/Formats/Encoding.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <functional>

using namespace ssmq;
using namespace ssmq::test;

namespace {

/// Largest error of one value: the value, the run it is in.
using Bound = std::function<double(double x, llvm::ArrayRef<float> run)>;

struct Case {
  std::string numerics;
  Bound bound;
};

double getMost(llvm::ArrayRef<float> run) {
  double most = 0;
  for (float x : run)
    most = std::max(most, std::abs(double(x)));
  return most;
}

double getWidth(llvm::ArrayRef<float> run) {
  double low = 0, high = 0;
  for (float x : run) {
    low = std::min(low, double(x));
    high = std::max(high, double(x));
  }
  return high - low;
}

/// A scale rounded up to f16.
double roundUp(double scale) { return scale * (1 + 0x1p-10) + 0x1p-24; }
double roundUp16(double scale) { return scale * (1 + 0x1p-7) + 0x1p-132; }

/// Half a step of a logarithmic grid over these magnitudes, relative.
double getLogError(std::vector<double> magnitudes, unsigned bits) {
  auto [least, most] = std::minmax_element(magnitudes.begin(), magnitudes.end());
  double step = std::log2(*most / *least) / ((1 << bits) - 1);
  return std::exp2(step / 2 + 0x1p-19) - 1 + 0x1p-22;
}

std::vector<Case> getCases() {
  std::vector<Case> cases;
  for (int bits : {2, 3, 4, 5, 6, 7, 8, 16}) {
    auto up = bits == 16 ? roundUp16 : roundUp;
    double q = (1 << (bits - 1)) - 1, steps = (1 << bits) - 1;
    std::string name = "i" + std::to_string(bits);
    cases.push_back({name + " sym",
                     [=](double, llvm::ArrayRef<float> run) { return up(getMost(run) / q) / 2; }});
    cases.push_back({name + " asym",
                     [=](double, llvm::ArrayRef<float> run) { return up(getWidth(run) / steps); }});
  }
  cases.push_back({"f16", [](double x, auto) { return std::abs(x) * 0x1p-11 + 0x1p-25; }});
  cases.push_back({"bf16", [](double x, auto) { return std::abs(x) * 0x1p-8 + 0x1p-134; }});
  cases.push_back({"f8E4M3", [](double x, llvm::ArrayRef<float> run) {
                     return std::abs(x) * 0x1p-4 + roundUp(getMost(run) / 448) * 0x1p-10;
                   }});
  cases.push_back({"f8E5M2", [](double x, llvm::ArrayRef<float> run) {
                     return std::abs(x) * 0x1p-3 + roundUp(getMost(run) / 57344) * 0x1p-17;
                   }});
  cases.push_back({"mxfp4", [](double x, llvm::ArrayRef<float> run) {
                     return std::max(std::abs(x) / 4, getMost(run) / 16 + 0x1p-129);
                   }});
  cases.push_back(
      {"nf4", [](double, llvm::ArrayRef<float> run) { return 0.1520 * roundUp(getMost(run)); }});
  for (unsigned bits : {1, 2, 4, 8, 16})
    cases.push_back(
        {"log2<" + std::to_string(bits) + ">", [=](double x, llvm::ArrayRef<float> run) {
           std::vector<double> magnitudes;
           for (float value : run)
             magnitudes.push_back(std::abs(value));
           return std::abs(x) * getLogError(magnitudes, bits);
         }});
  return cases;
}

bool isLog(const std::string &numerics) { return numerics.rfind("log", 0) == 0; }

/// All of a row is one run; mxfp4 has runs of 32.
std::shared_ptr<const Format> getRowFormat(const std::string &numerics) {
  bool isFixed = numerics == "f16" || numerics == "bf16" || numerics == "mxfp4";
  return getFormat(numerics + (isFixed ? "" : " per_tensor"));
}

llvm::Expected<Tensor> tryRoundRow(const std::string &numerics, llvm::ArrayRef<float> row) {
  int64_t columns = row.size();
  return getRowFormat(numerics)->round(Tensor::fromData<float>({1, columns}, row),
                                       {SiteKind::Weight, 1, columns, 0}, nullptr);
}

Tensor roundRow(const std::string &numerics, llvm::ArrayRef<float> row) {
  return llvm::cantFail(tryRoundRow(numerics, row));
}

/// Rows of at most 32 values that are hard in one way or another.
std::vector<std::vector<float>> getRows(const std::string &numerics) {
  std::vector<std::vector<float>> rows;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (float size : {1e-38f, 1e-30f, 3e-8f, 1e-7f, 1e-6f, 1e-5f, 1e-4f, 0.02f, 1.f, 300.f})
    for (int kind = 0; kind < 4; ++kind)
      for (int columns : {1, 2, 7, 31, 32}) {
        std::vector<float> row(columns);
        for (float &x : row)
          x = normal(random) * size;
        if (kind == 1)
          row[columns / 2] *= 50;
        if (kind == 2 || isLog(numerics))
          for (float &x : row)
            x = std::abs(x);
        if (kind == 3) {
          for (float &x : row)
            x = -std::abs(x);
          if (!isLog(numerics))
            row[0] = 0;
        }
        rows.push_back(row);
      }
  rows.push_back(std::vector<float>(32, 0.f));
  rows.push_back(std::vector<float>(32, 0x1p-149f));
  rows.push_back(std::vector<float>(5, -3.f));
  if (!isLog(numerics)) {
    rows.push_back({0.f, -0.f, 0x1p-149f, -0x1p-140f, 1e-40f});
    rows.push_back({1e-30f, 1.f, 0.f, 2e4f});
    // Ties of every grid that has these as its points.
    for (float scale : {1.f, 0x1p-7f, 3.f, 0x1.8p-9f}) {
      std::vector<float> row;
      for (int i = -14; i <= 14; ++i)
        row.push_back(i * scale / 2);
      rows.push_back(row);
    }
  } else {
    rows.push_back({1e-30f, 1.f, 1e-37f, 1e30f});
    rows.push_back({1.f, 1.f + 0x1p-23f, 1.f + 0x1p-22f});
    rows.push_back({std::numeric_limits<float>::max(), 1.f});
  }
  // Subnormal values are zeros to logarithms, which do not mix with others.
  if (isLog(numerics))
    for (std::vector<float> &row : rows)
      if (getMost(row) >= 0x1p-126)
        for (float &x : row)
          x = std::copysign(std::max(std::abs(x), 0x1p-126f), x);
  return rows;
}

std::string print(const std::string &numerics, llvm::ArrayRef<float> row) {
  std::string text = numerics + ":";
  for (float x : row) {
    char number[32];
    snprintf(number, sizeof number, " %a", x);
    text += number;
  }
  return text;
}

TEST(FormatPropertyTest, ErrorBound) {
  for (const Case &one : getCases())
    for (const std::vector<float> &row : getRows(one.numerics)) {
      Tensor result = roundRow(one.numerics, row);
      bool areZeros = isLog(one.numerics) && getMost(row) < 0x1p-126;
      for (size_t i = 0; i < row.size(); ++i) {
        double error = std::abs(double(result.data<float>()[i]) - row[i]);
        double bound = areZeros ? 0x1p-126 : one.bound(row[i], row) * (1 + 1e-6);
        ASSERT_LE(error, bound) << i << " of " << print(one.numerics, row);
      }
    }
}

TEST(FormatPropertyTest, Idempotent) {
  for (const Case &one : getCases())
    for (const std::vector<float> &row : getRows(one.numerics)) {
      Tensor once = roundRow(one.numerics, row);
      Tensor twice = roundRow(one.numerics, once.data<float>());
      ASSERT_EQ(std::memcmp(once.getRawData(), twice.getRawData(), once.getNumBytes()), 0)
          << print(one.numerics, row) << "\n"
          << print("once", once.data<float>()) << "\n"
          << print("twice", twice.data<float>());
    }
}

TEST(FormatPropertyTest, DecodedIsRounded) {
  for (const Case &one : getCases())
    for (const std::vector<float> &row : getRows(one.numerics)) {
      int64_t columns = row.size();
      ValueLayout layout{SiteKind::Weight, 1, columns, 0};
      std::shared_ptr<const Format> format = getRowFormat(one.numerics);
      Tensor rounded = roundRow(one.numerics, row);
      EncodedTensor encoded =
          llvm::cantFail(encode(*format, Tensor::fromData<float>({1, columns}, row), layout));
      Tensor decoded = llvm::cantFail(decode(*format, encoded, layout));
      ASSERT_EQ(std::memcmp(decoded.getRawData(), rounded.getRawData(), rounded.getNumBytes()), 0)
          << print(one.numerics, row) << "\n"
          << print("rounded", rounded.data<float>()) << "\n"
          << print("decoded", decoded.data<float>());
    }
}

TEST(FormatPropertyTest, Monotone) {
  for (const Case &one : getCases())
    for (std::vector<float> row : getRows(one.numerics)) {
      std::sort(row.begin(), row.end());
      Tensor result = roundRow(one.numerics, row);
      ASSERT_TRUE(std::is_sorted(result.data<float>().begin(), result.data<float>().end()))
          << print(one.numerics, row);
    }
}

/// Values on and between the points of each grid, with a last value that makes the scale 1.
TEST(FormatPropertyTest, TiesGoToEven) {
  struct {
    const char *numerics;
    std::vector<float> values, rounded;
  } cases[] = {
      {"i8 sym", {0.5f, 1.5f, -2.5f, 2.6f, 127}, {0, 2, -2, 3, 127}},
      {"i4 asym", {0.5f, 1.5f, 2.5f, 0, 15}, {0, 2, 2, 0, 15}},
      {"f16", {2049, 2051, 0x1p-25f, 0x1.8p-24f, 65519}, {2048, 2052, 0, 0x1p-23f, 65504}},
      {"bf16", {257, 259, -0x1p-134f, 0x1.8p-133f}, {256, 260, -0.f, 0x1p-132f}},
      {"f8E4M3",
       {17, 19, 0x1p-10f, 0x1.8p-9f, 0x1.1p-6f, 0x1.3p-6f, -447, 448},
       {16, 20, 0, 0x1p-8f, 0x1p-6f, 0x1.4p-6f, -448, 448}},
      {"f8E5M2",
       {9, 11, 0x1p-17f, 0x1.8p-16f, 0x1.2p-14f, 57344},
       {8, 12, 0, 0x1p-15f, 0x1p-14f, 57344}},
      {"mxfp4", {0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5, -7.9f}, {0, 1, 1, 2, 2, 4, 4, -6}},
      {"nf4",
       {0.07958029955625534f / 2, (0.07958029955625534f + 0.16093020141124725f) / 2,
        -0.09105003625154495f / 2, 1},
       {0.07958029955625534f, 0.07958029955625534f, -0.09105003625154495f, 1}},
  };
  for (const auto &one : cases) {
    Tensor result = roundRow(one.numerics, one.values);
    EXPECT_EQ(std::memcmp(result.getRawData(), one.rounded.data(), result.getNumBytes()), 0)
        << print(one.numerics, result.data<float>());
  }
  expectMessage(getMessage(tryRoundRow("f16", {65520})), "too large for format 'f16'");
  expectMessage(getMessage(tryRoundRow("bf16", {0x1.ffp127f})), "too large for format 'bf16'");
}

TEST(FormatPropertyTest, ZerosStayZeros) {
  for (const Case &one : getCases()) {
    Tensor result = roundRow(one.numerics, std::vector<float>(9, 0.f));
    for (float x : result.data<float>())
      EXPECT_EQ(x, 0) << one.numerics;
  }
}

/// Huge values are held within the bound or refused.
TEST(FormatPropertyTest, HugeValues) {
  for (const Case &one : getCases())
    for (std::vector<float> row : {std::vector<float>{1e30f, 2e29f},
                                   {std::numeric_limits<float>::max(), 1.f},
                                   {70000.f, 1.f}}) {
      llvm::Expected<Tensor> result = tryRoundRow(one.numerics, row);
      if (!result) {
        std::string message = llvm::toString(result.takeError());
        EXPECT_NE(message.find("too large for format '" + one.numerics), std::string::npos)
            << message;
        continue;
      }
      for (int i = 0; i < 2; ++i)
        EXPECT_LE(std::abs(double(result->data<float>()[i]) - row[i]),
                  one.bound(row[i], row) * (1 + 1e-6))
            << one.numerics;
    }
}

TEST(FormatPropertyTest, NotFiniteIsRefused) {
  std::vector<Case> cases = getCases();
  cases.push_back({"logpolar<2,4>", nullptr});
  for (const Case &one : cases)
    for (float bad : {NAN, -NAN, INFINITY, -INFINITY})
      for (size_t at : {0, 13, 23}) {
        std::vector<float> values(24, 1.f);
        values[at] = bad;
        expectMessage(getMessage(tryRoundRow(one.numerics, values)),
                      "the weight holds a value that is not finite (NaN or infinity)");
      }
}

} // namespace
