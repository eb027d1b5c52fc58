//===- KLRulesTest.cpp - The published rules ------------------------------===//

#include "ssmq/Assign/KLRules.h"

#include "../Support/TempFolder.h"
#include "ssmq/Assign/ForeignTable.h"
#include "gtest/gtest.h"
#include <cmath>
#include <map>

using namespace ssmq;
using namespace ssmq::test;

namespace {

Choice makeChoice(const char *format, double kl, double crossEntropy = NAN) {
  Choice choice{format, 10, kl};
  choice.reverseKL = kl;
  choice.crossEntropyChange = crossEntropy;
  return choice;
}

/// Sites "0", "1" ... as i4 and i8, with keepFormat.
AssignmentProblem makeProblem(std::vector<std::pair<double, double>> divergences) {
  AssignmentProblem problem;
  problem.size = {100, 10};
  for (auto [i4, i8] : divergences)
    problem.sites.push_back({std::to_string(problem.sites.size()),
                             {makeChoice("i4", i4, i4), makeChoice("i8", i8, i8),
                              makeChoice(keepFormat.data(), 0, 0)}});
  return problem;
}

std::map<std::string, int> count(const Assignment &assignment) {
  std::map<std::string, int> counts;
  for (const SiteFormat &one : assignment.sites)
    ++counts[one.format];
  return counts;
}

TEST(KLRulesTest, ReplaysTheAuthorsNumbers) {
  AssignmentProblem problem =
      llvm::cantFail(readForeignTable(SSMQ_TEST_INPUTS "/kl-mpq-mamba-130m.csv"));
  ASSERT_EQ(problem.sites.size(), 97u);
  struct Expected {
    int int4, int8;
    double kl;
  };
  const Expected points[] = {{0, 19, 0.001416},  {0, 38, 0.002890},  {0, 57, 0.004426},
                             {0, 76, 0.006014},  {1, 93, 0.008018},  {19, 76, 0.011293},
                             {38, 57, 0.030387}, {57, 38, 0.063953}, {76, 19, 0.118485},
                             {94, 2, 0.378297}};
  for (int point = 1; point <= 10; ++point) {
    Assignment result = llvm::cantFail(assignByCut(problem, point));
    const Expected &expected = points[point - 1];
    auto counts = count(result);
    EXPECT_EQ(counts["int4"], expected.int4) << point;
    EXPECT_EQ(counts["int8"], expected.int8) << point;
    EXPECT_EQ(counts["keep"], 97 - expected.int4 - expected.int8) << point;
    EXPECT_NEAR(result.report.predictedKL, expected.kl, 1e-6) << point;
    EXPECT_EQ(result.find("lm_head"), llvm::StringRef(keepFormat));
  }
  EXPECT_EQ(llvm::cantFail(assignByCut(problem, 5)).method, "kl-mpq-p05");
  EXPECT_EQ(llvm::cantFail(assignByCut(problem, 10)).method, "kl-mpq-p10");
  // lm_head alone raises the perplexity by 21 %; 4587 / 26 is the last out_proj at 4 bits.
  Assignment greedy = llvm::cantFail(assignByPerplexity(problem, {}));
  EXPECT_EQ(greedy.find("lm_head"), llvm::StringRef(keepFormat));
  EXPECT_EQ(greedy.find("backbone.layers.23.mixer.out_proj"), llvm::StringRef("int8"));
}

TEST(KLRulesTest, ALaterEntryOverrides) {
  // 11 entries and an unequal order: 0 as i4 comes before 0 as i8.
  auto problem = makeProblem({{0.01, 0.02}, {0.9, 0.03}, {0.8, 0.04}, {0.7, 0.05}, {0.6, 0.06}});
  problem.sites[0].choices.push_back(makeChoice("i2", 1.0));
  Assignment one = llvm::cantFail(assignByCut(problem, 1));
  EXPECT_EQ(one.find("0"), llvm::StringRef("i4"));
  EXPECT_EQ(count(one)["keep"], 4);
  EXPECT_EQ(llvm::cantFail(assignByCut(problem, 2)).find("0"), llvm::StringRef("i8"));
  Assignment all = llvm::cantFail(assignByCut(problem, 10));
  EXPECT_EQ(all.find("0"), llvm::StringRef("i8")); // the last entry, i2, is never taken
  EXPECT_EQ(all.find("1"), llvm::StringRef("i4"));
}

TEST(KLRulesTest, SortsByForwardKLWhereReverseIsUnknown) {
  auto problem = makeProblem({{0.01, 0.02}, {0.9, 0.03}, {0.8, 0.04}, {0.7, 0.05}, {0.6, 0.06}});
  problem.sites[0].choices.push_back(makeChoice("i2", 1.0));
  problem.sites[1].choices[1].cost = 0.001;
  EXPECT_EQ(llvm::cantFail(assignByCut(problem, 1)).find("0"), llvm::StringRef("i4"));
  problem.sites[2].choices[0].reverseKL = NAN;
  EXPECT_EQ(llvm::cantFail(assignByCut(problem, 1)).find("1"), llvm::StringRef("i8"));
}

TEST(KLRulesTest, GreedyCompoundsOrNot) {
  // Each i8 adds 0.06, each i4 0.12 on the original; ln 1.10 = 0.0953.
  auto problem = makeProblem({{0.12, 0.06}, {0.12, 0.06}, {0.12, 0.06}});
  Assignment compounding = llvm::cantFail(assignByPerplexity(problem, {}));
  EXPECT_EQ(compounding.method, "kl-mpq-greedy");
  EXPECT_EQ(count(compounding)["i4"], 3);
  Assignment fixed = llvm::cantFail(assignByPerplexity(problem, {1.10, /*compounding=*/false}));
  EXPECT_EQ(fixed.method, "kl-mpq-greedy-fixed");
  EXPECT_EQ(fixed.find("0"), llvm::StringRef("i8"));
  EXPECT_EQ(count(fixed)["keep"], 2);
  // The first jump is too high for i4 from the original.
  EXPECT_EQ(count(llvm::cantFail(assignByPerplexity(problem, {1.05, true})))["keep"], 3);
}

TEST(KLRulesTest, GreedyMeasuresTheMix) {
  auto problem = makeProblem({{0.2, 0.1}, {0.2, 0.1}});
  std::vector<std::vector<size_t>> asked;
  auto measure = [&](llvm::ArrayRef<size_t> choices) -> llvm::Expected<double> {
    asked.push_back(choices.vec());
    return asked.size() == 2 ? 1.0 : 0.01;
  };
  Assignment result = llvm::cantFail(assignByPerplexity(problem, {}, measure));
  EXPECT_EQ(asked, (std::vector<std::vector<size_t>>{{1, 2}, {1, 1}, {0, 2}, {0, 0}}));
  EXPECT_EQ(count(result)["i4"], 2);
  auto fail = [](llvm::ArrayRef<size_t>) -> llvm::Expected<double> {
    return llvm::createStringError("no memory");
  };
  expectMessage(getMessage(assignByPerplexity(problem, {}, fail)), "no memory");
}

TEST(KLRulesTest, Refusals) {
  auto problem = makeProblem({{0.2, 0.1}});
  expectMessage(getMessage(assignByCut(problem, 0)), "there is no cut 0; take one of 1 to 10");
  expectMessage(getMessage(assignByCut(problem, 11)), "there is no cut 11");
  expectMessage(getMessage(assignByPerplexity(problem, {1.0})), "gamma is 1");
  problem.sites[0].choices[0].crossEntropyChange = NAN;
  expectMessage(getMessage(assignByPerplexity(problem, {})),
                "'0' as 'i4': the table has no perplexity, which the rule asks for");
  problem.sites[0].choices.pop_back();
  expectMessage(getMessage(assignByCut(problem, 1)), "'0' cannot stay as it is");
}

} // namespace
