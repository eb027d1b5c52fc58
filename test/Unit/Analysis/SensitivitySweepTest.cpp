//===- SensitivitySweepTest.cpp - The sweep against single runs -----------===//

#include "TinyProgram.h"

#include "ssmq/Analysis/SensitivitySweep.h"
#include "gtest/gtest.h"
#include <map>
#include <mutex>

using namespace ssmq;
using namespace ssmq::test;
using namespace mlir::ssm;

namespace {

const std::vector<int32_t> kTokens = {3, 1, 12, 0, 7, 7, 2, 9, 11, 5, 4};

template <typename T>
T get(llvm::Expected<T> value) {
  if (!value) {
    ADD_FAILURE() << llvm::toString(value.takeError());
    exit(1);
  }
  return std::move(*value);
}

class SensitivitySweepTest : public ::testing::Test {
protected:
  SensitivitySweepTest() {
    for (llvm::StringRef spelling : {"i4 sym per_channel", "i4 sym group=4", "i8 asym group=64"})
      options.formats.push_back(get(parseFormat(spelling)));
  }

  using Records = std::map<Candidate, DivergenceSums>;
  Records sweep(unsigned threads, std::set<Candidate> known = {}) {
    options.threads = threads;
    Records records;
    std::mutex mutex;
    auto isDone = [&](int64_t, const Candidate &candidate) { return known.count(candidate) != 0; };
    auto add = [&](const SequenceRecord &record) {
      std::lock_guard<std::mutex> lock(mutex);
      EXPECT_TRUE(records.emplace(record.candidate, record.sums).second);
      EXPECT_EQ(record.sequence, 3);
      return llvm::Error::success();
    };
    llvm::Error error = sweepSequence(*program, sites, kTokens, 3, options, {isDone, add});
    EXPECT_EQ(llvm::toString(std::move(error)), "");
    return records;
  }

  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module = parseTinyProgram(*context);
  Weights weights = makeWeights();
  std::unique_ptr<InterpreterProgram> program = makeProgram(*module, weights);
  llvm::SmallVector<Site> sites = findSites(*module, ::ssmq::SiteKind::Weight);
  SweepOptions options;
};

TEST_F(SensitivitySweepTest, Sites) {
  std::vector<std::string> names;
  for (const Site &site : sites)
    names.push_back(site.name);
  // qkv has a slice as another use, and `a` is no weight operand.
  EXPECT_EQ(names, (std::vector<std::string>{"embed:weight", "in_proj:weight", "conv:weight",
                                             "out:weight"}));
  EXPECT_EQ(sites[0].uses.size(), 2u);
  EXPECT_EQ(sites[2].rows, 22);
  EXPECT_EQ(sites[2].columns, 4);
  WeightTotals totals = getWeightTotals(*module);
  EXPECT_EQ(totals.numElements, 130 + 350 + 88 + 3 + 160 + 120);
  EXPECT_EQ(totals.numBytes, totals.numElements * 4);
}

TEST_F(SensitivitySweepTest, EqualFormatsAreMeasuredOnce) {
  EXPECT_EQ(getDistinctFormats(options.formats, 10).size(), 3u);
  EXPECT_EQ(getDistinctFormats(options.formats, 4).size(), 2u);
}

TEST_F(SensitivitySweepTest, EqualsWholeRunsOfChangedPrograms) {
  Records records = sweep(1);
  llvm::ArrayRef<int32_t> tokens = kTokens;
  auto forward = [&](const Program &one) {
    ProgramState state = get(one.createState(tokens.size()));
    return get(one.forward(tokens.drop_back(), state));
  };
  TeacherLogits teacher = get(TeacherLogits::create(forward(*program), tokens.drop_front()));
  size_t count = 0;
  for (const Site &site : sites)
    for (const auto &format : getDistinctFormats(options.formats, site.columns)) {
      Weights other = weights;
      mlir::ml_program::GlobalOp global = site.global;
      other[global.getSymName()] = get(fakeQuantize(*format, weights[global.getSymName()]));
      auto changed = makeProgram(*module, other);
      Tensor logits = forward(*changed);
      DivergenceSums expected = get(teacher.compare(logits.data<float>()));
      EXPECT_EQ(records.at({site.name, format->getSpelling()}), expected) << site.name;
      EXPECT_GT(expected.forwardKL, 0);
      ++count;
    }
  EXPECT_EQ(records.size(), count + 2); // and the noise floor
}

TEST_F(SensitivitySweepTest, TheNoiseFloorIsLow) {
  for (auto &[candidate, sums] : sweep(1)) {
    if (candidate.site != noiseFloorSite)
      continue;
    EXPECT_EQ(sums.numScored, 10);
    // bf16 keeps 8 bits of a weight: relative changes of 2^-9, in KL their square.
    EXPECT_LT(sums.forwardKL / 10, candidate.format == "fed in two halves" ? 1e-11 : 1e-4);
  }
}

TEST_F(SensitivitySweepTest, ThreadsAndResumingChangeNothing) {
  Records all = sweep(1);
  EXPECT_EQ(sweep(2), all);
  std::set<Candidate> known;
  for (auto &[candidate, sums] : all)
    if (known.size() < 5)
      known.insert(candidate);
  Records rest = sweep(2, known);
  EXPECT_EQ(rest.size(), all.size() - known.size());
  for (auto &[candidate, sums] : rest)
    EXPECT_EQ(sums, all.at(candidate));
}

TEST_F(SensitivitySweepTest, Sequences) {
  auto lengths = [](int64_t tokens, int64_t length) {
    std::vector<int32_t> ids(tokens);
    std::vector<size_t> result;
    for (llvm::ArrayRef<int32_t> sequence : cutSequences(ids, length))
      result.push_back(sequence.size());
    return result;
  };
  EXPECT_EQ(lengths(10, 4), (std::vector<size_t>{4, 4, 2}));
  EXPECT_EQ(lengths(9, 4), (std::vector<size_t>{4, 4}));
  EXPECT_EQ(lengths(1, 4), std::vector<size_t>{});
  EXPECT_EQ(lengths(0, 4), std::vector<size_t>{});
}

} // namespace
