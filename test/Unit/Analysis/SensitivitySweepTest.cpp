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
      formats.push_back(get(parseFormat(spelling)));
  }

  using Records = std::map<Candidate, DivergenceSums>;

  std::vector<FormatList> getFormats() const {
    std::vector<FormatList> lists;
    for (const Site &site : sites)
      lists.push_back(getDistinctFormats(formats, site));
    return lists;
  }

  /// All records of a sweep; `known` were measured by an earlier one.
  std::vector<SequenceRecord> sweepAll(llvm::ArrayRef<Sequence> sequences,
                                       llvm::ArrayRef<SequenceRecord> known = {}) {
    std::vector<SequenceRecord> records;
    std::mutex mutex;
    numNew = 0;
    auto find = [&](int64_t sequence, const Candidate &candidate,
                    bool isLocalError) -> const SequenceRecord * {
      auto it = llvm::find_if(known, [&](const SequenceRecord &record) {
        return record.sequence == sequence && record.candidate == candidate &&
               (record.isUnusable || record.localError.has_value() == isLocalError);
      });
      return it == known.end() ? nullptr : &*it;
    };
    auto add = [&](const SequenceRecord &record, bool isNew) {
      std::lock_guard<std::mutex> lock(mutex);
      records.push_back(record);
      numNew += isNew;
      return llvm::Error::success();
    };
    auto endSequence = [] { return llvm::Error::success(); };
    llvm::Error error =
        sweepSites(*program, sites, getFormats(), sequences, options, {find, add, endSequence});
    EXPECT_EQ(llvm::toString(std::move(error)), "");
    llvm::sort(records, [](const SequenceRecord &a, const SequenceRecord &b) {
      return std::make_tuple(a.sequence, a.candidate, a.localError.has_value()) <
             std::make_tuple(b.sequence, b.candidate, b.localError.has_value());
    });
    return records;
  }

  Records sweep(unsigned threads) {
    options.threads = threads;
    Records records;
    for (const SequenceRecord &record : sweepAll(cutText(kTokens, kTokens.size())))
      EXPECT_TRUE(records.emplace(record.candidate, *record.sums).second);
    return records;
  }

  /// Five sequences of eleven tokens.
  std::vector<Sequence> makeSequences() {
    text.resize(55);
    for (auto [i, token] : llvm::enumerate(text))
      token = static_cast<int32_t>((i * i + 3 * i) % 13);
    return cutText(text, 11);
  }

  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module = parseTinyProgram(*context);
  Weights weights = makeWeights();
  std::unique_ptr<InterpreterProgram> program = makeProgram(*module, weights);
  llvm::SmallVector<Site> sites = findSites(*module, ::ssmq::SiteKind::Weight);
  SweepOptions options;
  FormatList formats;
  std::vector<int32_t> text;
  size_t numNew = 0;
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
  EXPECT_EQ(getDistinctFormats(formats, sites[0]).size(), 3u); // 10 columns
  EXPECT_EQ(getDistinctFormats(formats, sites[2]).size(), 2u); // 4 columns
  FormatList head = {get(parseFormat("i8 sym per_head"))};
  EXPECT_TRUE(getDistinctFormats(head, sites[0]).empty());
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
    for (const auto &format : getDistinctFormats(formats, site)) {
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

TEST_F(SensitivitySweepTest, ThreadsShardsAndResumingChangeNothing) {
  std::vector<Sequence> sequences = makeSequences();
  for (double precision : {0.0, 0.12, 0.4}) {
    options = {};
    options.precision = precision;
    llvm::SmallVector<mlir::Value> cuts = findCuts(program->getInterpreter(), sites);
    if (MeasurementPlan(precision).usesCuts())
      options.cuts = cuts;
    std::vector<SequenceRecord> all = sweepAll(sequences);
    options.threads = 2;
    EXPECT_EQ(sweepAll(sequences), all);

    std::vector<SequenceRecord> known;
    for (size_t i = 0; i < all.size(); i += 3)
      known.push_back(all[i]);
    EXPECT_EQ(sweepAll(sequences, known), all);
    EXPECT_EQ(numNew, all.size() - known.size());

    std::vector<SequenceRecord> together;
    options.numShards = 3;
    for (options.shard = 0; options.shard < 3; ++options.shard)
      for (const SequenceRecord &record : sweepAll(sequences))
        if (!llvm::is_contained(together, record))
          together.push_back(record);
    EXPECT_EQ(together.size(), all.size());
    for (const SequenceRecord &record : all)
      EXPECT_TRUE(llvm::is_contained(together, record)) << record.candidate.site;
  }
}

TEST_F(SensitivitySweepTest, SiblingsAreLeftToTheirCut) {
  std::vector<Sequence> sequences = makeSequences();
  auto count = [&](llvm::StringRef name) {
    std::pair<size_t, size_t> counts;
    for (const SequenceRecord &record : sweepAll(sequences))
      if (record.candidate.site == name)
        ++(record.sums ? counts.first : counts.second);
    return counts;
  };
  llvm::SmallVector<mlir::Value> cuts = findCuts(program->getInterpreter(), sites);
  llvm::StringRef names[] = {sites[2].name, sites[3].name};
  ASSERT_EQ(cuts[2], cuts[3]);
  formats = {formats.front()};
  options.precision = 1;
  options.cuts = cuts;
  for (llvm::StringRef name : names) // both are probes
    EXPECT_EQ(count(name), std::make_pair(size_t(1), size_t(1))) << name.str();
  sites.push_back(sites[2]);
  sites.back().name = "third";
  cuts.push_back(cuts[2]);
  options.cuts = cuts;
  size_t measured = 0;
  for (llvm::StringRef name : {names[0], names[1], llvm::StringRef("third")})
    measured += count(name).first;
  EXPECT_EQ(measured, 2u);
  // Without a common cut each is measured.
  options.cuts = {};
  EXPECT_GE(count("third").first, 1u);
}

TEST_F(SensitivitySweepTest, AnExactRunLeavesNothingForALaterOne) {
  std::vector<Sequence> sequences = makeSequences();
  std::vector<SequenceRecord> exact = sweepAll(sequences);
  options.precision = 0.3;
  std::vector<SequenceRecord> predicted = sweepAll(sequences, exact);
  // Local errors are new; what was measured is taken over where the plan asks for it.
  size_t measured = llvm::count_if(predicted, [](auto &record) { return record.sums.has_value(); });
  EXPECT_LT(measured, exact.size());
  EXPECT_EQ(numNew, predicted.size() - measured);
}

TEST_F(SensitivitySweepTest, WhatAFormatCannotHoldIsSaidOnceAndLeftOut) {
  // Values of this size lie in f32 and not in f16.
  weights["out"] = weights["out"].clone();
  for (float &value : weights["out"].mutableData<float>())
    value *= 1e6;
  program = makeProgram(*module, weights);
  formats = {get(parseFormat("f16")), get(parseFormat("i8 sym per_channel"))};
  std::vector<Sequence> sequences = makeSequences();
  for (double precision : {0.0, 0.12}) {
    options = {};
    options.precision = precision;
    std::vector<SequenceRecord> all = sweepAll(sequences);
    std::map<std::string, size_t> unusable, measured;
    for (const SequenceRecord &record : all) {
      EXPECT_EQ(record.isUnusable, !record.sums && !record.localError);
      if (record.isUnusable)
        EXPECT_EQ(record.candidate.format, "f16");
      ++(record.isUnusable ? unusable : measured)[record.candidate.site];
    }
    EXPECT_GE(unusable.size(), 1u);
    EXPECT_LT(unusable.size(), sites.size());
    for (const auto &[site, count] : unusable) {
      EXPECT_EQ(count, 1u) << site;
      // The other format is measured on each sequence.
      EXPECT_GE(measured[site], sequences.size()) << site;
    }
    options.threads = 2;
    EXPECT_EQ(sweepAll(sequences), all);
    for (size_t part : {2, 3}) {
      std::vector<SequenceRecord> known;
      for (size_t i = 0; i < all.size(); i += part)
        known.push_back(all[i]);
      EXPECT_EQ(sweepAll(sequences, known), all);
      EXPECT_EQ(numNew, all.size() - known.size());
    }
  }
}

TEST_F(SensitivitySweepTest, SitesOfEveryKind) {
  sites = findSites(*module, {});
  formats.clear();
  for (const char *spelling :
       {"i8 sym per_channel", "i8 sym per_token", "i8 sym per_tensor static=99.9", "bf16"})
    formats.push_back(get(parseFormat(spelling)));
  std::set<SiteKind> kinds;
  std::vector<SequenceRecord> records = sweepAll(makeSequences());
  for (const Site &site : sites) {
    kinds.insert(site.kind);
    for (const auto &format : getDistinctFormats(formats, site)) {
      double divergence = 0;
      for (const SequenceRecord &record : records)
        if (record.candidate == Candidate{site.name, format->getSpelling()})
          divergence += record.sums->forwardKL;
      EXPECT_GT(divergence, 0) << site.name << " as " << format->getSpelling();
      EXPECT_LT(divergence, 0.5) << site.name << " as " << format->getSpelling();
    }
  }
  EXPECT_GE(kinds.size(), 4u);
}

TEST_F(SensitivitySweepTest, Sequences) {
  auto lengths = [](int64_t tokens, int64_t length) {
    std::vector<int32_t> ids(tokens);
    std::vector<size_t> result;
    for (const Sequence &sequence : cutText(ids, length))
      result.push_back(sequence.getNumSteps());
    return result;
  };
  EXPECT_EQ(lengths(10, 4), (std::vector<size_t>{3, 3, 1}));
  EXPECT_EQ(lengths(9, 4), (std::vector<size_t>{3, 3}));
  EXPECT_EQ(lengths(1, 4), std::vector<size_t>{});
  EXPECT_EQ(lengths(0, 4), std::vector<size_t>{});
}

} // namespace
