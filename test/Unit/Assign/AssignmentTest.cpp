//===- AssignmentTest.cpp - From a table to a file ------------------------===//

#include "ssmq/Assign/Assignment.h"

#include "../Measure/TableTestUtils.h"
#include "../Support/TempFolder.h"
#include "ssmq/Assign/Greedy.h"
#include "ssmq/Assign/Uniform.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

TEST(ChoicesTest, FromATable) {
  SensitivityTable table = makeTable(makeRecords());
  AssignmentProblem problem = llvm::cantFail(makeProblem(table));
  EXPECT_EQ(problem.checkpoint, "1234");
  ASSERT_EQ(problem.sites.size(), 2u);
  EXPECT_EQ(problem.sites[1].site, "head:weight");
  ASSERT_EQ(problem.sites[1].choices.size(), 3u);
  EXPECT_EQ(problem.sites[1].choices[0].format, "i4");
  EXPECT_EQ(problem.sites[1].choices[0].bytes, 40);
  EXPECT_EQ(problem.sites[1].choices[0].cost, table.getRows()[2].estimate.forwardKL.mean);
  EXPECT_EQ(problem.sites[1].choices[2].format, keepFormat);
  EXPECT_EQ(problem.sites[1].choices[2].bytes, 64);
  EXPECT_EQ(problem.sites[1].choices[2].cost, 0);

  problem = llvm::cantFail(makeProblem(table, {false, {"i8"}}));
  ASSERT_EQ(problem.sites[0].choices.size(), 1u);
  EXPECT_EQ(problem.sites[0].choices[0].format, "i8");
}

TEST(ChoicesTest, WhatOverflowsIsNoChoice) {
  std::vector<SequenceRecord> records = makeRecords();
  records.push_back({1, {"head:weight", "i4"}, {}, {}, true});
  AssignmentProblem problem = llvm::cantFail(makeProblem(makeTable(records), {false, {}}));
  EXPECT_EQ(problem.sites[0].choices.size(), 2u);
  ASSERT_EQ(problem.sites[1].choices.size(), 1u);
  EXPECT_EQ(problem.sites[1].choices[0].format, "i8");
  records.push_back({0, {"head:weight", "i8"}, {}, {}, true});
  expectMessage(getMessage(makeProblem(makeTable(records), {false, {}})),
                "'head:weight' has no format to choose from");
}

TEST(ChoicesTest, Refusals) {
  expectMessage(getMessage(makeProblem(makeTable(makeRecords()), {false, {"i3"}})),
                "the table has no format 'i3'; measure it first");
  expectMessage(getMessage(makeProblem(makeEmptyTable())),
                "'layers.0.in:weight' as 'i4' was never measured");
  SensitivityTable table(makeIdentity(), {10, 0}, {{"a", SiteKind::Weight, 1, 1, 1, 4}});
  expectMessage(getMessage(makeProblem(table, {false, {}})), "'a' has no format to choose from");
}

TEST(ChoicesTest, OnlyWeightsAreStored) {
  SensitivityTable table(
      makeIdentity(), {10, 0},
      {{"a:weight", SiteKind::Weight, 1, 1, 1, 4}, {"a:input", SiteKind::Activation, 0, 1, 1, 4}});
  for (const char *site : {"a:weight", "a:input"})
    llvm::cantFail(table.addCandidate({site, "i8"}, 1));
  llvm::cantFail(table.addRecord({0, {"a:weight", "i8"}, makeSums(1)}));
  AssignmentProblem problem = llvm::cantFail(makeProblem(table));
  ASSERT_EQ(problem.sites.size(), 1u);
  EXPECT_EQ(problem.sites[0].site, "a:weight");
}

TEST(UniformTest, OneFormat) {
  AssignmentProblem problem = llvm::cantFail(makeProblem(makeTable(makeRecords())));
  Assignment result = llvm::cantFail(assignUniform(problem, "i8"));
  EXPECT_EQ(result.method, "uniform i8");
  EXPECT_EQ(result.find("head:weight"), llvm::StringRef("i8"));
  EXPECT_EQ(result.find("tail:weight"), std::nullopt);
  EXPECT_EQ(result.report.totalBytes, 64 + 70 + 70);
  EXPECT_DOUBLE_EQ(result.report.predictedKL,
                   problem.sites[0].choices[1].cost + problem.sites[1].choices[1].cost);
  EXPECT_TRUE(std::isnan(result.report.lowerBoundKL));
  EXPECT_EQ(llvm::cantFail(assignUniform(problem, keepFormat)).report.predictedKL, 0);
}

TEST(UniformTest, Fallback) {
  AssignmentProblem problem = llvm::cantFail(makeProblem(makeTable(makeRecords())));
  problem.sites[1].choices.erase(problem.sites[1].choices.begin());
  expectMessage(getMessage(assignUniform(problem, "i4")),
                "'head:weight' was not measured as 'i4'; measure it, or name a fallback");
  expectMessage(getMessage(assignUniform(problem, "i4", llvm::StringRef("i3"))),
                "'head:weight' was not measured as 'i4' nor as 'i3'");
  Assignment result = llvm::cantFail(assignUniform(problem, "i4", llvm::StringRef(keepFormat)));
  EXPECT_EQ(result.find("layers.0.in:weight"), llvm::StringRef("i4"));
  EXPECT_EQ(result.find("head:weight"), llvm::StringRef(keepFormat));
  EXPECT_EQ(result.report.numFallbacks, 1);
}

TEST(AssignmentTest, FileRoundTrip) {
  TempFolder folder;
  AssignmentProblem problem = llvm::cantFail(makeProblem(makeTable(makeRecords())));
  Assignment written = llvm::cantFail(assignGreedy(problem, 180));
  std::string path = folder / "assignment.json";
  llvm::cantFail(written.write(path));
  Assignment read = llvm::cantFail(Assignment::read(path));
  EXPECT_EQ(read.model, "tiny");
  EXPECT_EQ(read.checkpoint, "1234");
  EXPECT_EQ(read.method, "greedy");
  ASSERT_EQ(read.sites.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.sites[i].site, written.sites[i].site);
    EXPECT_EQ(read.sites[i].format, written.sites[i].format);
  }
  EXPECT_EQ(folder.count(), 1u);
}

/// Every f32 comes back with its bits.
TEST(AssignmentTest, BoundsRoundTrip) {
  TempFolder folder;
  Assignment written;
  written.sites = {{"a:input", "i8 asym per_tensor static=99", {-0.1f, 1e-42f}},
                   {"a:weight", "i4 sym per_channel"}};
  std::string path = folder / "assignment.json";
  llvm::cantFail(written.write(path));
  Assignment read = llvm::cantFail(Assignment::read(path));
  ASSERT_EQ(read.sites.size(), 2u);
  EXPECT_EQ(read.sites[0].bounds, written.sites[0].bounds);
  EXPECT_TRUE(read.sites[1].bounds.empty());
}

TEST(AssignmentTest, HostileDocuments) {
  const std::string head = R"({"document": "ssmq-assignment", "version": 1, "model": "m",)"
                           R"( "checkpoint": "c", "method": "hand", "sites": )";
  TempFolder folder;
  auto refuse = [&](const std::string &text, const char *message) {
    expectMessage(getMessage(Assignment::read(folder.write("a.json", text))), message);
  };
  EXPECT_TRUE(bool(Assignment::read(folder.write("a.json", head + "[]}"))));
  refuse(head + "{}}", "key 'sites' must be a list");
  refuse(head + "[1]}", "site 0: the JSON is not an object");
  refuse(head + R"([{"site": "a"}]})", "site 0: key 'format' is missing");
  refuse(head + R"([{"site": "a", "format": 4}]})", "'format'");
  refuse(head + R"([{"site": "a", "format": "i4"}, {"site": "a", "format": "i8"}]})",
         "site 1: 'a' has a format already");
  refuse(head + R"([{"site": "a", "format": "i4", "bounds": 1}]})", "key 'bounds' must be a list");
  for (const char *bounds : {"[1e39, 0]", "[\"1\"]", "[null]"})
    refuse(head + R"([{"site": "a", "format": "i4", "bounds": )" + bounds + "}]}",
           "site 0: key 'bounds' must hold numbers that f32 can hold");
  refuse("[]", "the JSON is not an object");
  refuse("", "a.json");
  refuse(R"({"document": "ssmq-sensitivity"})", "this is no ssmq-assignment of version 1");
  expectMessage(getMessage(Assignment::read(folder / "none")), "none");
}

} // namespace
