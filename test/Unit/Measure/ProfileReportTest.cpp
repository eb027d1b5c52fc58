//===- ProfileReportTest.cpp - Where the time of a program goes -----------===//

#include "ssmq/Measure/ProfileReport.h"

#include "ssmq/Support/Json.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace ssmq;

namespace {
std::vector<ProfiledOp> makeOps() {
  ProfiledOp linear{"forward", "layers.0.in_proj", "linear", "ssmq_linear_0"};
  linear.bytes = 1000;
  linear.bytesPerToken = 10;
  linear.multiplyAddsPerToken = 100;
  ProfiledOp integers = linear;
  integers.kind = "integer_linear";
  integers.path = "layers.1.in_proj";
  ProfiledOp attention{"forward", "layers.1.attention", "attention", "ssmq_attention_0"};
  attention.bytesPerPosition = 4;
  attention.multiplyAddsPerPair = 2;
  return {linear, integers, attention};
}

std::vector<ProfiledStep> makeSteps() {
  return {{"prefill", 4, 0, 0, 1000, {{0, 0, 100}, {1, 100, 400}, {2, 400, 500}}},
          {"decode", 1, 4, 1000, 1100, {{0, 1000, 1060}}},
          {"decode", 1, 5, 1100, 1200, {{0, 1100, 1120}}}};
}
} // namespace

TEST(ProfileReport, SumsByPhaseKindLayerAndOp) {
  std::vector<ProfilePhase> phases = summarize(makeOps(), makeSteps());
  ASSERT_EQ(phases.size(), 2u);
  EXPECT_EQ(phases[0].name, "prefill");
  EXPECT_EQ(phases[0].tokens, 4);
  ASSERT_EQ(phases[0].kinds.size(), 3u);
  EXPECT_EQ(phases[0].kinds[0].name, "integer_linear");
  EXPECT_EQ(phases[0].kinds[0].bytes, 1040);
  EXPECT_EQ(phases[0].kinds[0].integerMultiplyAdds, 400);
  ASSERT_EQ(phases[0].layers.size(), 2u);
  EXPECT_EQ(phases[0].layers[0].name, "layers.0");
  EXPECT_EQ(phases[0].layers[1].nanoseconds, 400);
  // Four tokens see 1 + 2 + 3 + 4 rows.
  EXPECT_EQ(phases[0].layers[1].multiplyAdds, 400 + 20);
  EXPECT_EQ(phases[0].layers[1].bytes, 1040 + 16);

  EXPECT_EQ(phases[1].steps, 2);
  EXPECT_EQ(phases[1].nanoseconds, 200);
  ASSERT_EQ(phases[1].ops.size(), 1u);
  EXPECT_EQ(phases[1].ops[0].name, "layers.0.in_proj ssmq_linear_0");
  EXPECT_EQ(phases[1].ops[0].calls, 2);
  EXPECT_EQ(phases[1].ops[0].bytes, 2 * 1010);
}

TEST(ProfileReport, PrintsSharesOfPeaks) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  // A linear of the prompt: 1040 bytes and 400 multiply-adds in 100 ns.
  printProfile(summarize(makeOps(), makeSteps()), {20.8e9, 8e9, 0}, stream);
  EXPECT_NE(text.find("prefill: 1 steps of 4 tokens, 1.0 us each"), std::string::npos) << text;
  EXPECT_NE(text.find("10.4 (50%)"), std::string::npos) << text;
  EXPECT_NE(text.find("4.0 (50%)"), std::string::npos) << text;
  EXPECT_NE(text.find("between ops"), std::string::npos) << text;
}

TEST(ProfileReport, TraceHasAnEventForEachStepAndCall) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  writeTrace(makeOps(), makeSteps(), stream);
  llvm::json::Value trace = llvm::cantFail(parseJson(text, "trace"));
  const llvm::json::Array *events = trace.getAsObject()->getArray("traceEvents");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 3u + 5u);
  const llvm::json::Object &call = *(*events)[2].getAsObject();
  EXPECT_EQ(call.getString("name"), "layers.1.in_proj");
  EXPECT_EQ(call.getString("ph"), "X");
  EXPECT_EQ(call.getNumber("ts"), 0.1);
  EXPECT_EQ(call.getNumber("dur"), 0.3);
  EXPECT_EQ(call.getObject("args")->getInteger("bytes"), 1040);
}
