//===- ForeignTableTest.cpp - CSV that nobody vouches for -----------------===//

#include "ssmq/Assign/ForeignTable.h"

#include "../Support/TempFolder.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;

namespace {

class ForeignTableTest : public testing::Test {
protected:
  llvm::Expected<AssignmentProblem> read(const std::string &text, ForeignOptions options = {}) {
    return readForeignTable(folder.write("t.csv", text), options);
  }
  void refuse(const std::string &text, const char *message) {
    expectMessage(getMessage(read(text)), message);
  }
  TempFolder folder;
};

const std::string paper = "layer,bits,perplexity,kl_q_p_per_token\n";
const std::string own = "site,kind,layer,format,bytes,elements,forwardKL,reverseKL,extra\r\n";

TEST_F(ForeignTableTest, Paper) {
  AssignmentProblem problem = llvm::cantFail(
      read(paper + "a,4,22,0.5\nb,4,20,0.25\na,8,20.5,0.125\n\"b,\"\"c\",8,21,-1e-9\n"));
  EXPECT_FALSE(problem.hasSizes);
  ASSERT_EQ(problem.sites.size(), 3u);
  EXPECT_EQ(problem.sites[2].site, "b,\"c");
  ASSERT_EQ(problem.sites[0].choices.size(), 3u);
  const Choice &i8 = problem.sites[0].choices[1];
  EXPECT_EQ(i8.format, "int8");
  EXPECT_EQ(i8.cost, 0.125);
  EXPECT_EQ(i8.reverseKL, 0.125);
  EXPECT_NEAR(i8.crossEntropyChange, std::log(20.5 / 20), 1e-12);
  EXPECT_EQ(problem.sites[2].choices[0].cost, 0);
  EXPECT_EQ(problem.sites[0].choices[2].format, keepFormat);

  problem = llvm::cantFail(read(paper + "a,4,22,0.5\na,8,21,0.25\n", {false, {"int8"}, 20.0}));
  ASSERT_EQ(problem.sites[0].choices.size(), 1u);
  EXPECT_NEAR(problem.sites[0].choices[0].crossEntropyChange, std::log(21.0 / 20), 1e-12);
}

TEST_F(ForeignTableTest, Own) {
  const std::string text = own + "a,weight,0,i4,16,32,0.5,0.25,x\r\n'=b,weight,1,i4,8,16,1,,\r\n"
                                 "a,weight,0,i8,32,32,0.125,0.1,\r\nc,state,0,i8,32,32,7,7,\r\n";
  AssignmentProblem problem = llvm::cantFail(read(text, {/*allowKeep=*/false}));
  EXPECT_TRUE(problem.hasSizes);
  EXPECT_EQ(problem.size.numParameters, 48);
  ASSERT_EQ(problem.sites.size(), 2u);
  EXPECT_EQ(problem.sites[1].site, "=b");
  EXPECT_EQ(problem.sites[0].choices[1].bytes, 32);
  EXPECT_EQ(problem.sites[0].choices[1].cost, 0.125);
  EXPECT_EQ(problem.sites[0].choices[0].reverseKL, 0.25);
  EXPECT_TRUE(std::isnan(problem.sites[1].choices[0].reverseKL));
  EXPECT_FALSE(llvm::cantFail(read(text)).hasSizes);
}

TEST_F(ForeignTableTest, WhatOverflowsIsNoChoice) {
  const std::string text = "site,kind,format,method,bytes,elements,forwardKL\r\n"
                           "a,weight,i4,unusable,16,32,\r\na,weight,i8,measured,32,32,0.5\r\n"
                           "b,weight,i4,unusable,8,16,\r\n";
  AssignmentProblem problem = llvm::cantFail(read(text));
  EXPECT_EQ(problem.size.numParameters, 48);
  ASSERT_EQ(problem.sites.size(), 2u);
  ASSERT_EQ(problem.sites[0].choices.size(), 2u);
  EXPECT_EQ(problem.sites[0].choices[0].format, "i8");
  EXPECT_EQ(problem.sites[1].choices[0].format, keepFormat);
  expectMessage(getMessage(read(text, {/*allowKeep=*/false})), "'b' has no format to choose from");
}

TEST_F(ForeignTableTest, Refusals) {
  refuse("", "t.csv: the file is empty");
  refuse("a,b\n1,2\n", "the CSV has neither the columns layer, bits and kl_q_p_per_token");
  refuse("a,a\n", "the column 'a' comes twice");
  refuse(paper + "a,4,1\n", "t.csv: line 2 has 3 cells, and the first has 4");
  refuse(paper + "\"a,4,1,1\n", "t.csv: line 2: a quote is not closed");
  refuse(paper + "\"a\"b,4,1,1\n", "t.csv: line 2: text after a closing quote");
  refuse(paper + "a,4,1,nan\n", "t.csv: line 2: 'a' as 'int4': its KL is not a number");
  refuse(paper + "\na,4,1,\n", "t.csv: line 3: 'a' as 'int4': its KL is not a number");
  refuse(paper + "a,4,1,x\n", "t.csv: line 2: 'x' in column 'kl_q_p_per_token' is no number");
  refuse(paper + "a,4,-1,1\n", "a perplexity of -1.00 cannot be");
  refuse(paper + "a,four,1,1\n", "'four' bits are none of 1 to 16");
  refuse(paper + "a,4,1,1\na,4,1,1\n", "t.csv: line 3: 'a' as 'int4' comes twice");
  refuse(paper, "there are 0");
  refuse(own + "a,weight,0,i4,-1,1,1,1,\n", "'-1' in column 'bytes' is no number of them");
  expectMessage(getMessage(read(paper + "a,4,1,1\n", {true, {"int3"}})),
                "the table has no format 'int3'; measure it first");
  expectMessage(getMessage(readForeignTable(folder / "none.csv")), "none.csv");
}

} // namespace
