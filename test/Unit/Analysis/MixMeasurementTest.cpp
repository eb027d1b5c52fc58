//===- MixMeasurementTest.cpp - Mixes against single changes --------------===//

#include "TinyProgram.h"

#include "ssmq/Analysis/MixMeasurement.h"
#include "ssmq/Analysis/SensitivitySweep.h"
#include "ssmq/Analysis/SequenceSweep.h"
#include "ssmq/Formats/Format.h"
#include "gtest/gtest.h"

using namespace ssmq;
using namespace ssmq::test;
using namespace mlir::ssm;

namespace {

template <typename T>
T get(llvm::Expected<T> value) {
  if (!value) {
    ADD_FAILURE() << llvm::toString(value.takeError());
    exit(1);
  }
  return std::move(*value);
}

class MixMeasurementTest : public ::testing::Test {
protected:
  MixMeasurementTest() {
    for (size_t i = 0; i < 33; ++i)
      text.push_back(static_cast<int32_t>((i * i + 3 * i) % 13));
    sequences = cutText(text, 11);
  }

  const Site *find(llvm::StringRef name) const {
    for (const Site &site : sites)
      if (site.name == name)
        return &site;
    ADD_FAILURE() << "no site " << name.str();
    return nullptr;
  }
  SiteChange at(llvm::StringRef site, llvm::StringRef format) const {
    return {find(site), get(parseFormat(format))};
  }
  MixMeasurement mixes(unsigned threads = 1) { return {*program, sequences, threads}; }

  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module = parseTinyProgram(*context);
  Weights weights = makeWeights();
  std::unique_ptr<InterpreterProgram> program = makeProgram(*module, weights);
  llvm::SmallVector<Site> sites = findSites(*module, {});
  std::vector<int32_t> text;
  std::vector<Sequence> sequences;
};

TEST_F(MixMeasurementTest, RangesAreOfAllSequences) {
  auto format = get(parseFormat("i8 sym per_tensor static=100"));
  const Site *site =
      llvm::find_if(sites, [](const Site &one) { return one.kind == SiteKind::Activation; });
  ASSERT_NE(site, sites.end());
  StaticRanges all(*format);
  std::vector<SequenceSweep> sweeps;
  for (const Sequence &sequence : sequences) {
    sweeps.push_back(get(SequenceSweep::create(*program, sequence)));
    ASSERT_FALSE(llvm::errorToBool(
        observeSite(*site, sweeps.back().getInterpreter(), sweeps.back().getTrace(), all)));
  }
  for (bool isTurned : {false, true}) { // the widest value may be in the first sequence
    SiteRanges ranges;
    ranges.want(*site, *format);
    auto getSweep = [&](size_t k) -> llvm::Expected<const SequenceSweep *> {
      return &sweeps[isTurned ? sweeps.size() - 1 - k : k];
    };
    ASSERT_FALSE(llvm::errorToBool(ranges.observe(sweeps.size(), getSweep, 2)));
    EXPECT_EQ(ranges.get(*site, *format)->getBounds(), all.getBounds());
  }
}

TEST_F(MixMeasurementTest, OneSiteIsARowOfTheSweep) {
  FormatList formats;
  for (const char *spelling : {"i4 sym per_channel", "i4 sym per_token", "bf16",
                               "i8 sym per_tensor static=99.9", "i6 sym per_tensor"})
    formats.push_back(get(parseFormat(spelling)));
  std::vector<FormatList> lists;
  std::vector<Mix> all;
  for (const Site &site : sites) {
    lists.push_back(getDistinctFormats(formats, site));
    for (const auto &format : lists.back())
      all.push_back({{&site, format}});
  }
  ASSERT_GT(all.size(), 40u);
  std::map<std::pair<Candidate, int64_t>, DivergenceSums> rows;
  auto add = [&](const SequenceRecord &record, bool) {
    rows[{record.candidate, record.sequence}] = *record.sums;
    return llvm::Error::success();
  };
  auto find = [](auto...) -> const SequenceRecord * { return nullptr; };
  auto end = [] { return llvm::Error::success(); };
  ASSERT_FALSE(llvm::errorToBool(
      sweepSites(*program, sites, lists, sequences, SweepOptions(), {find, add, end})));
  for (unsigned threads : {1, 2}) {
    std::vector<SequenceSums> measured = get(mixes(threads).measure(all));
    for (auto [mix, sums] : llvm::zip_equal(all, measured))
      for (auto [k, one] : llvm::enumerate(sums)) {
        Candidate row{mix.front().site->name, mix.front().format->getSpelling()};
        EXPECT_EQ(one, (rows.at({row, static_cast<int64_t>(k)}))) << row.site << row.format;
      }
    // So it is as a change of nothing.
    EXPECT_EQ(get(mixes(threads).measureChanges({}, all, /*exact=*/true)), measured);
  }
}

TEST_F(MixMeasurementTest, AMixOfWeightsIsTheChangedProgram) {
  auto format = get(parseFormat("i3 sym per_channel"));
  Mix mix;
  Weights other = weights;
  for (Site &site : sites)
    if (site.kind == SiteKind::Weight) {
      mix.push_back({&site, format});
      llvm::StringRef name = site.global.getSymName();
      other[name] = get(fakeQuantize(*format, weights[name]));
    }
  ASSERT_EQ(mix.size(), 4u);
  SequenceSums sums = get(mixes().measure({mix})).front();
  auto changed = makeProgram(*module, other);
  for (auto [sequence, one] : llvm::zip_equal(sequences, sums)) {
    auto forward = [&, inputs = sequence.inputs](const Program &which) {
      ProgramState state = get(which.createState(inputs.getDim(0)));
      return get(which.forward(inputs, state));
    };
    TeacherLogits teacher = get(TeacherLogits::create(forward(*program), sequence.targets));
    EXPECT_EQ(one, get(teacher.compare(forward(*changed).data<float>())));
  }
}

/// An activation behind a changed weight is rounded as it then is, not as the teacher has it.
TEST_F(MixMeasurementTest, ActivationsAreRoundedWhereTheyStand) {
  // The second rounding does next to nothing: the first must survive it.
  std::vector<SequenceSums> sums = get(mixes().measure(
      {{at("in_proj:weight", "i3 sym per_channel")},
       {at("in_proj:weight", "i3 sym per_channel"), at("out:input", "bf16")},
       {at("in_proj:weight", "i3 sym per_channel"), at("out:input", "i8 sym per_token")}}));
  for (size_t i : {1, 2}) {
    EXPECT_NE(sums[0], sums[i]);
    EXPECT_NEAR(sums[i][0].forwardKL, sums[0][0].forwardKL, 0.1 * sums[0][0].forwardKL);
  }
}

TEST_F(MixMeasurementTest, ChangesOfABaseAreMixesOfTheirOwn) {
  Mix base = {at("in_proj:weight", "i3 sym per_channel"), at("out:weight", "i4 sym per_channel"),
              at("out:input", "i4 sym per_token"), at("ssm.ssd_scan#0:state", "i6 sym per_tensor"),
              at("conv:weight", "i4 sym per_channel")};
  std::vector<Mix> changes = {
      {},
      {at("out:weight", "i8 sym per_channel")},
      {{find("out:weight"), nullptr}},
      {{find("out:input"), nullptr}},
      {at("out:input", "i8 sym per_token")},
      {{find("ssm.ssd_scan#0:state"), nullptr}, {find("in_proj:weight"), nullptr}},
      {at("embed:weight", "i4 sym per_channel")},
      {at("in_proj:weight", "i4 sym per_channel"),
       at("ssm.ssd_scan#0:state", "i4 sym per_tensor")}};
  std::vector<Mix> whole;
  for (const Mix &change : changes) {
    Mix mix = change;
    for (const SiteChange &one : base)
      if (llvm::none_of(change, [&](const SiteChange &other) { return other.site == one.site; }))
        mix.push_back(one);
    llvm::erase_if(mix, [](const SiteChange &one) { return !one.format; });
    whole.push_back(mix);
  }
  std::vector<SequenceSums> expected = get(mixes().measure(whole));
  EXPECT_EQ(get(mixes().measureChanges(base, changes, /*exact=*/true)), expected);
  std::vector<SequenceSums> inBytes = get(mixes(2).measureChanges(base, changes, /*exact=*/false));
  // Bytes are right to a share of the change; one that undoes the base is as large as that.
  for (auto [i, sums] : llvm::enumerate(inBytes))
    EXPECT_NEAR(sums[1].forwardKL, expected[i][1].forwardKL,
                5e-3 * (expected[i][1].forwardKL + expected[0][1].forwardKL))
        << i;
  // The program is as it was.
  EXPECT_EQ(get(mixes().measure(whole)), expected);
}

TEST_F(MixMeasurementTest, FaultsWhileRoundingAreErrors) {
  Mix signs = {at("out:input", "log2<8> per_tensor")};
  auto getMessage = [](auto measured) { return llvm::toString(measured.takeError()); };
  EXPECT_NE(getMessage(mixes().measure({signs})).find("site 'out:input' as log2<8> per_tensor"),
            std::string::npos);
  Mix change = {at("out:weight", "i8 sym per_channel")};
  EXPECT_NE(getMessage(mixes().measureChanges(signs, {change}, true)).find("site 'out:input'"),
            std::string::npos);
}

} // namespace
