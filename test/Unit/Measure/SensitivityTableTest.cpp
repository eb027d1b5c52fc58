//===- SensitivityTableTest.cpp - Tables, merged and stored ---------------===//

#include "ssmq/Measure/SensitivityTable.h"

#include "../Support/TempFolder.h"
#include "TableTestUtils.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace ssmq;
using namespace ssmq::test;
namespace json = llvm::json;

namespace {

std::string print(const SensitivityTable &table) {
  return llvm::formatv("{0:2}", table.toJSON()).str();
}

TEST(SensitivityTableTest, RowsAndEstimates) {
  SensitivityTable table = makeTable(makeRecords());
  std::vector<SensitivityRow> rows = table.getRows();
  ASSERT_EQ(rows.size(), 4u);
  // The model's order of sites, then the smaller format.
  EXPECT_EQ(rows[0].candidate, (Candidate{"layers.0.in:weight", "i4"}));
  EXPECT_EQ(rows[1].candidate, (Candidate{"layers.0.in:weight", "i8"}));
  EXPECT_EQ(rows[2].candidate, (Candidate{"head:weight", "i4"}));
  EXPECT_EQ(rows[0].bytes, 40);
  std::vector<DivergenceSums> sums;
  for (const SequenceRecord &record : makeRecords())
    if (record.candidate == rows[0].candidate)
      sums.push_back(*record.sums);
  DivergenceSummary expected = summarize(sums, 11);
  EXPECT_EQ(rows[0].estimate.numScored, 60);
  EXPECT_EQ(rows[0].estimate.forwardKL.mean, expected.forwardKL.mean);
  EXPECT_EQ(rows[0].estimate.signalToNoise.standardError, expected.signalToNoise.standardError);
  ASSERT_EQ(table.getNoiseFloor().size(), 1u);
  EXPECT_EQ(table.getNoiseFloor()[0].candidate.format, "bf16");
}

TEST(SensitivityTableTest, MergingDoesNotDependOnOrder) {
  std::vector<SequenceRecord> records = makeRecords();
  std::string whole = print(makeTable(records));
  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(records.begin(), records.end(), random);
    // Three shards that overlap.
    auto all = llvm::ArrayRef(records);
    std::vector<SensitivityTable> shards = {
        makeTable(all.take_front(9)), makeTable(all.slice(5, 8)), makeTable(all.drop_front(8))};
    std::shuffle(shards.begin(), shards.end(), random);
    SensitivityTable merged = shards[0];
    llvm::cantFail(merged.merge(shards[1]));
    llvm::cantFail(merged.merge(shards[2]));
    EXPECT_EQ(print(merged), whole);
  }
}

TEST(SensitivityTableTest, AnUnusableRowKeepsNothing) {
  TempFolder folder;
  std::vector<SequenceRecord> records = makeRecords();
  Candidate candidate{"head:weight", "i4"};
  for (int64_t sequence : {3, 2})
    records.push_back({sequence, candidate, {}, {}, true});
  std::string whole = print(makeTable(records));
  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    std::shuffle(records.begin(), records.end(), random);
    auto all = llvm::ArrayRef(records);
    SensitivityTable merged = makeTable(all.take_front(11));
    llvm::cantFail(merged.merge(makeTable(all.drop_front(11))));
    EXPECT_EQ(print(merged), whole);
  }
  SensitivityTable table = makeTable(records);
  SensitivityRow row = table.getRows()[2];
  EXPECT_EQ(row.candidate, candidate);
  EXPECT_TRUE(row.isUnusable && !row.isPredicted && std::isnan(row.estimate.forwardKL.mean));
  EXPECT_FALSE(table.getRows()[3].isUnusable);
  EXPECT_EQ(llvm::count_if(table.getRecords(), [](auto &record) { return record.isUnusable; }), 1);
  std::string path = folder / "table.json";
  llvm::cantFail(table.write(path));
  SensitivityTable read = llvm::cantFail(SensitivityTable::read(path));
  EXPECT_EQ(print(read), whole);
  EXPECT_EQ(read.getRecords(), table.getRecords());
  expectMessage(getMessage(table.addRecord({4, candidate, {}, {}, true})),
                "the run has 4 sequences");
}

TEST(SensitivityTableTest, MergingRefusesWhatContradicts) {
  SensitivityTable table = makeTable(makeRecords());
  std::string before = print(table);
  SequenceRecord other = makeRecords()[2];
  other.sums->forwardKL *= 1 + 1e-15;
  expectMessage(getMessage(table.merge(makeTable({other}))),
                "sequence 0 of 'head:weight' as 'i4': two measurements contradict");
  RunIdentity identity = makeIdentity();
  identity.calibrationDigest = "beef";
  expectMessage(getMessage(table.merge(SensitivityTable(identity, {1000, 64}, {}))),
                "its calibrationDigest is 'beef', and here it is 'abcd'");
  expectMessage(getMessage(table.merge(SensitivityTable(makeIdentity(), {1000, 64}, {}))),
                "different sites");
  EXPECT_EQ(print(table), before);
}

TEST(SensitivityTableTest, RefusesRecordsThatCannotBe) {
  SensitivityTable table = makeEmptyTable();
  SequenceRecord good = makeRecords()[0];
  auto refuse = [&](auto change, const char *message) {
    SequenceRecord record = good;
    change(record);
    expectMessage(getMessage(table.addRecord(record)), message);
  };
  refuse([](auto &r) { r.sequence = 4; }, "the run has 4 sequences");
  refuse([](auto &r) { r.candidate.site = "tail:weight"; }, "no such site");
  refuse([](auto &r) { r.candidate.format = "i2"; }, "the format is no candidate of this run");
  refuse([](auto &r) { r.sums->forwardKL = NAN; }, "forwardKL is nan");
  refuse([](auto &r) { r.sums->reverseKL = -1; }, "reverseKL is -1");
  refuse([](auto &r) { r.sums->numSameTop1 = 16; }, "16 of 15 positions");
  expectMessage(getMessage(table.addCandidate({"tail:weight", "i4"}, 1)), "no site of this model");
  expectMessage(getMessage(table.addCandidate({noiseFloorSite.str(), "i4"}, 1)), "no site");
  expectMessage(getMessage(table.addCandidate({"head:weight", "i4"}, 41)),
                "has 40 bytes in one place and 41 in another");
}

TEST(SensitivityTableTest, FilesComeBackWithTheSameBits) {
  TempFolder folder;
  std::vector<SequenceRecord> records = makeRecords();
  // One row without records, one with a single sequence (no error), one infinitely quiet.
  records.erase(std::remove_if(records.begin(), records.end(),
                               [](const SequenceRecord &record) {
                                 return record.candidate == Candidate{"head:weight", "i8"} ||
                                        (record.sequence > 0 &&
                                         record.candidate == Candidate{"head:weight", "i4"});
                               }),
                records.end());
  for (SequenceRecord &record : records)
    if (record.candidate.format == "i8")
      record.sums->squaredError = 0;
  SensitivityTable table = makeTable(records);
  std::string path = folder / "table.json";
  llvm::cantFail(table.write(path));
  SensitivityTable read = llvm::cantFail(SensitivityTable::read(path));
  EXPECT_EQ(print(read), print(table));
  EXPECT_EQ(read.getRecords(), table.getRecords());
  EXPECT_EQ(readAll(path).find("nan"), std::string::npos);
  EXPECT_EQ(readAll(path).find("inf\""), std::string::npos);
  EXPECT_EQ(folder.count(), 1u);
}

/// Each change of a good document gives one line that says what is wrong.
TEST(SensitivityTableTest, HostileDocuments) {
  const std::string good = print(makeTable(makeRecords()));
  auto refuse = [&](const std::string &from, const std::string &to, const char *message) {
    std::string text = good;
    size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    TempFolder folder;
    std::string path = folder.write("table.json", text);
    expectMessage(getMessage(SensitivityTable::read(path)), message);
  };
  refuse("\"ssmq-sensitivity\"", "\"other\"", "this is no ssmq-sensitivity of version 3");
  refuse("\"version\": 3", "\"version\": 1", "this is no ssmq-sensitivity of version 3");
  refuse("\"vocabSize\"", "\"vocab\"", "run: key 'vocabSize' is missing");
  refuse("\"numParameters\": 1000", "\"numParameters\": -1", "'numParameters'");
  refuse("\"name\": \"head:weight\"", "\"name\": \"layers.0.in:weight\"", "is taken");
  refuse("\"name\": \"head:weight\"", "\"name\": \"noise-floor\"", "is taken");
  refuse("\"site\": \"head:weight\"", "\"site\": \"tail:weight\"", "is no site of this model");
  refuse("\"format\": \"i4\"", "\"format\": 4", "'format'");
  refuse("\"bytes\": 40", "\"bytes\": 1e300", "'bytes'");
  refuse("\"forwardKL\": [", "\"forwardKL\": [1,", "the columns differ in length");
  refuse("\"forwardKL\": [", "\"gone\": [", "key 'forwardKL' is missing");
  refuse("\"sequence\": [\n          0", "\"sequence\": [\n          -1", "'sequence'");
  refuse("\"sequence\": [\n          0", "\"sequence\": [\n          1", "contradict");
  refuse("\"positions\": [\n          15", "\"positions\": [\n          14",
         "not what the sums give");
  refuse("\"mean\": ", "\"mean\": 1", "not what the sums give; was the file edited?");
  refuse("\"rows\": [\n    {", "\"rows\": [\n    7, {", "row 0");
  refuse("{\n", std::string(100, '['), "nested");
  refuse("\"document\"", "\"version\": 1, \"document\"", "version");
}

/// Whatever a byte turns into, reading gives a table or one line.
TEST(SensitivityTableTest, RandomDamage) {
  const std::string good = print(makeTable(makeRecords()));
  TempFolder folder;
  std::mt19937 random(3);
  for (int round = 0; round < 100; ++round) {
    std::string text = good;
    for (int changes = 1 + random() % 3; changes > 0; --changes)
      switch (size_t at = random() % text.size(); random() % 3) {
      case 0: text[at] = char(random() % 256); break;
      case 1: text.erase(at, 1 + random() % 40); break;
      case 2: text.insert(at, text.substr(random() % text.size(), 1 + random() % 40)); break;
      }
    auto table = SensitivityTable::read(folder.write("table.json", text));
    if (table)
      continue;
    std::string message = llvm::toString(table.takeError());
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_LT(message.size(), 1000u);
  }
}

} // namespace
