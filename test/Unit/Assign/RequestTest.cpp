//===- RequestTest.cpp - Requests, ties and cost tables -------------------===//

#include "ssmq/Assign/Request.h"

#include "../Measure/TableTestUtils.h"
#include "../Support/TempFolder.h"
#include "ssmq/Assign/CostTable.h"
#include "ssmq/Assign/Ties.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

TEST(RequestTest, FromATable) {
  TempFolder folder;
  std::string path = folder / "table.json";
  llvm::cantFail(makeTable(makeRecords()).write(path));
  AssignRequest request = llvm::cantFail(AssignRequest::parse(
      R"({"table": ")" + path + R"(", "budgets": ["180B", "1MB"], "keep": false})"));
  EXPECT_EQ(request.rule, "optimal");
  Assignment result = llvm::cantFail(assign(request));
  EXPECT_EQ(result.method, "optimal 180B 1MB");
  EXPECT_LE(result.report.totalBytes, 180);
  llvm::json::Value front = llvm::cantFail(computeFront(request, 0));
  EXPECT_EQ(front.getAsObject()->getInteger("numPoints"),
            static_cast<int64_t>(front.getAsObject()->getArray("points")->size()));
}

TEST(RequestTest, Refusals) {
  auto refuse = [](const char *text, const char *message) {
    auto request = AssignRequest::parse(text);
    expectMessage(request ? getMessage(assign(*request)) : getMessage(std::move(request)), message);
  };
  refuse("[]", "request: the JSON is not an object");
  refuse("{", "request");
  refuse(R"({"budget": "4bpw"})", "key 'budget' is not known");
  refuse(R"({"cacheTokens": 0})", "'cacheTokens'");
  refuse("{}", "there is no table");
  refuse(R"({"rule": "kl-mpq-p00"})", "the rule 'kl-mpq-p00' is not known");
  refuse(R"({"table": "none", "sites": ["weights"]})", "the kind of site 'weights' is not known");
}

AssignmentProblem makeProblem() {
  AssignmentProblem problem;
  problem.size = {100, 10};
  std::vector<Choice> choices = {{"i4", 10, 0.5}, {"i8", 20, 0.25}};
  for (const char *site : {"l.0.q", "l.0.k", "l.1.q", "l.1.k", "head"})
    problem.sites.push_back({site, choices});
  problem.sites[1].choices.pop_back();
  return problem;
}

TEST(TiesTest, SitesOfOneLayer) {
  AssignmentProblem problem = makeProblem();
  llvm::cantFail(tieSites(problem, {R"(l\.([0-9])\.[qk])"}));
  ASSERT_EQ(problem.sites.size(), 3u);
  EXPECT_EQ(problem.sites[0].site, "l.0.q + l.0.k");
  ASSERT_EQ(problem.sites[0].choices.size(), 1u);
  EXPECT_EQ(problem.sites[1].choices[1].bytes, 40);
  EXPECT_EQ(problem.sites[1].choices[1].cost, 0.5);
  EXPECT_EQ(problem.sites[2].site, "head");
  Limits limits;
  limits.storedBytes = 90;
  Assignment result = llvm::cantFail(assignOptimal(problem, limits));
  ASSERT_EQ(result.sites.size(), 5u);
  EXPECT_EQ(result.report.totalBytes, 90);
  EXPECT_EQ(result.find("l.0.k"), llvm::StringRef("i4"));
  EXPECT_EQ(result.find("l.1.q"), result.find("l.1.k"));
}

TEST(TiesTest, Refusals) {
  auto refuse = [](std::vector<std::string> patterns, const char *message) {
    AssignmentProblem problem = makeProblem();
    problem.sites[4].choices[0].format = "nf4";
    problem.sites[4].choices.pop_back();
    expectMessage(getMessage(tieSites(problem, patterns)), message);
  };
  refuse({"("}, "the pattern '(' to tie sites by");
  refuse({"tail"}, "no site is found by the pattern 'tail'");
  refuse({"l.0", "[qk]"}, "'l.0.q' is tied by two patterns, the second '[qk]'");
  refuse({"l.1.q|head"}, "the tied sites 'l.1.q + head' have no format in common");
}

class CostTableTest : public testing::Test {
protected:
  llvm::Error apply(const std::string &entries, const std::string &sites,
                    AssignmentProblem &problem, const std::string &rest = "") {
    std::string path =
        folder.write("costs.json", R"({"document": "ssmq-cost-table", "version": 1,)"
                                   R"("entries": [)" +
                                       entries + "], \"sites\": [" + sites + "]" + rest + "}");
    auto table = CostTable::read(path);
    return table ? table->apply(problem) : table.takeError();
  }
  static std::string makeEntry(const char *op, const char *format, const char *time) {
    return std::string(R"({"op": ")") + op + R"(", "rows": 2, "columns": 3, "format": ")" + format +
           R"(", "decodeNanoseconds": )" + time + R"(, "prefillNanosecondsPerToken": 1})";
  }
  const std::string site = R"({"site": "a", "rows": 2, "columns": 3, "ops": ["linear", "embed"]})";
  TempFolder folder;
};

TEST_F(CostTableTest, SumsOfOps) {
  AssignmentProblem problem;
  problem.sites = {{"a", {{"i4", 10, 0.5}, {"i8", 20, 0.25}}}};
  llvm::cantFail(
      apply(makeEntry("linear", "i4", "5") + "," + makeEntry("embed", "i4", "0.5") + "," +
                makeEntry("linear", "i8", "4") + "," + makeEntry("norm", "keep", "3"),
            site + R"(, {"site": "b", "rows": 2, "columns": 3, "ops": ["norm"]})", problem,
            R"(, "rest": {"decodeNanoseconds": 7, "prefillNanosecondsPerToken": 1})"));
  EXPECT_TRUE(problem.hasTimes);
  ASSERT_EQ(problem.sites[0].choices.size(), 1u); // embed has no kernel for i8
  EXPECT_EQ(problem.sites[0].choices[0].decodeNanoseconds, 5.5);
  EXPECT_EQ(problem.sites[0].choices[0].prefillNanoseconds, 2);
  EXPECT_EQ(problem.rest.decodeNanoseconds, 10);
}

TEST_F(CostTableTest, Refusals) {
  auto refuse = [&](const std::string &entries, const std::string &sites, const char *message) {
    AssignmentProblem problem;
    problem.sites = {{"a", {{"i4", 10, 0.5}}}};
    expectMessage(llvm::toString(apply(entries, sites, problem)), message);
  };
  refuse("", "", "does not know 'a'; it is of another model");
  refuse("", site, "has no time for 'a' in any of its formats (i4)");
  refuse(makeEntry("linear", "i4", "-1"), site, "a time of -1");
  refuse(makeEntry("linear", "i4", "1") + "," + makeEntry("linear", "i4", "1"), site,
         "entry 1: the same op, shape and format came before");
  refuse(makeEntry("linear", "i4", "1"), site + "," + site, "site 1: the same site came before");
  refuse("1", site, "entry 0: the JSON is not an object");
}

} // namespace
