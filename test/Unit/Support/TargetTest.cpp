//===- TargetTest.cpp - Processors that code is generated for -------------===//

#include "ssmq/Support/Target.h"

#include "gtest/gtest.h"

using namespace ssmq;

static Target resolve(llvm::StringRef name, llvm::StringRef features = "") {
  return llvm::cantFail(resolveTarget(name, features));
}

static std::string fail(llvm::StringRef name, llvm::StringRef features = "") {
  return llvm::toString(resolveTarget(name, features).takeError());
}

TEST(Target, NamesDecideWidthAndDotProduct) {
  struct {
    const char *name;
    unsigned width;
    DotKind dot;
    bool unequal;
  } expected[] = {{"lunarlake", 8, DotKind::AVXVNNIInt8, true},
                  {"alderlake", 8, DotKind::AVXVNNI, true},
                  {"x86-64-v2", 4, DotKind::None, false},
                  {"x86-64-v3", 8, DotKind::AVX2, false},
                  {"x86-64-v4", 16, DotKind::AVX2, false},
                  {"sapphirerapids", 16, DotKind::AVX512VNNI, false},
                  {"znver4", 16, DotKind::AVX512VNNI, false}};
  for (const auto &[name, width, dot, unequal] : expected) {
    Target target = resolve(name);
    EXPECT_EQ(target.cpu, name);
    EXPECT_EQ(target.vectorWidth, width) << name;
    EXPECT_EQ(toString(target.dot), toString(dot)) << name;
    EXPECT_EQ(target.hasUnequalCores, unequal) << name;
  }
}

TEST(Target, FeaturesChangeAProcessorWithWhatTheyImply) {
  Target masked = resolve("sapphirerapids", "-avx512f");
  EXPECT_EQ(masked.vectorWidth, 8u);
  EXPECT_EQ(masked.dot, DotKind::AVXVNNI);
  EXPECT_EQ(masked.features, "-avx512f");
  EXPECT_EQ(resolve("x86-64-v3", "+avxvnniint8").dot, DotKind::AVXVNNIInt8);
  EXPECT_EQ(resolve("x86-64", "+avx512vnni").vectorWidth, 16u);
}

TEST(Target, HostStandsForItsFeatures) {
  Target host = resolve("");
  EXPECT_EQ(host.cpu, resolve("host").cpu);
  EXPECT_EQ(host.features, resolve("host").features);
  EXPECT_NE(host.features, "");
  EXPECT_EQ(resolve("host", "-avx").vectorWidth, 4u);
}

TEST(Target, TellsWhatIsKnown) {
  EXPECT_NE(fail("luna").find("unknown target 'luna'; known are host, lunarlake"),
            std::string::npos);
  EXPECT_NE(fail("i686").find("unknown target"), std::string::npos);
  EXPECT_EQ(fail("host", "avx2"), "a feature is written +name or -name, but 'avx2' is not");
  EXPECT_NE(fail("host", "+avx2,-"), "");
}

TEST(Target, MicrocontrollersHaveWhatTheirNameSays) {
  Target m0 = resolve("cortex-m0"), m4 = resolve("cortex-m4"), m7 = resolve("cortex-m7");
  EXPECT_EQ(m0.triple, "thumbv6m-none-eabi");
  EXPECT_EQ(m4.triple, "thumbv7em-none-eabihf");
  EXPECT_EQ(resolve("cortex-m3").triple, "thumbv7m-none-eabi");
  EXPECT_EQ(resolve("cortex-m33").triple, "thumbv8m.main-none-eabihf");
  EXPECT_FALSE(m0.hasFMA || m0.hasHalf || m0.hasRoundEven);
  EXPECT_TRUE(m4.hasFMA && m4.hasHalf && !m4.hasRoundEven);
  EXPECT_TRUE(m7.hasRoundEven);
  EXPECT_FALSE(isHostArchitecture(m4));
  EXPECT_TRUE(isHostArchitecture(resolve("x86-64")));
  EXPECT_NE(fail("cortex-m4", "+neon"), "");
  EXPECT_NE(fail("cortex-a9").find("unknown target"), std::string::npos);
  EXPECT_EQ(llvm::toString(checkRunsHere("cortex-m4")),
            "code for target 'cortex-m4' cannot run here; it can be emitted as an object with "
            "ssmq-run --emit=obj --freestanding");
}

TEST(Target, InstructionsFollowFromFeatures) {
  EXPECT_FALSE(resolve("x86-64").hasFMA || resolve("x86-64").hasRoundEven);
  EXPECT_TRUE(resolve("x86-64-v2").hasRoundEven);
  Target v3 = resolve("x86-64-v3", "-f16c");
  EXPECT_TRUE(v3.hasFMA && v3.hasRoundEven && !v3.hasHalf);
}

TEST(Target, RunsHere) {
  EXPECT_FALSE(llvm::errorToBool(checkRunsHere("")));
  EXPECT_FALSE(llvm::errorToBool(checkRunsHere("x86-64")));
  // No processor has both XOP (AMD's, until 2017) and AVX-512, so one of these is foreign to any.
  EXPECT_TRUE(llvm::errorToBool(checkRunsHere("bdver4")) ||
              llvm::errorToBool(checkRunsHere("graniterapids")));
  EXPECT_EQ(llvm::toString(checkRunsHere("luna")).rfind("unknown target", 0), 0u);
}

TEST(Target, DotProductNamesRoundTrip) {
  for (DotKind dot :
       {DotKind::None, DotKind::AVX2, DotKind::AVXVNNI, DotKind::AVXVNNIInt8, DotKind::AVX512VNNI})
    EXPECT_EQ(parseDotKind(toString(dot)), dot);
  EXPECT_EQ(parseDotKind("vnni"), std::nullopt);
}
