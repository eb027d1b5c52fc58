//===- JournalTest.cpp - Journals, whole and torn -------------------------===//

#include "ssmq/Measure/Journal.h"

#include "../Support/TempFolder.h"
#include "TableTestUtils.h"
#include "gtest/gtest.h"
#include <unistd.h>

using namespace ssmq;
using namespace ssmq::test;

namespace {

class JournalTest : public testing::Test {
protected:
  void write(llvm::ArrayRef<SequenceRecord> records) {
    auto journal = llvm::cantFail(Journal::open(path, makeIdentity()));
    for (const SequenceRecord &record : records)
      llvm::cantFail(journal->append(record));
    llvm::cantFail(journal->sync());
  }

  TempFolder folder;
  std::string path = folder / "sweep.jsonl";
  std::vector<SequenceRecord> records = makeRecords();
};

TEST_F(JournalTest, ResumesWithTheSameBits) {
  records.push_back({3, {"head:weight", "i2"}, {}, {}, true});
  write(llvm::ArrayRef(records).take_front(7));
  auto journal = llvm::cantFail(Journal::open(path, makeIdentity()));
  EXPECT_EQ(journal->getRecords(), llvm::ArrayRef(records).take_front(7));
  EXPECT_EQ(journal->getNote(), "");
  for (const SequenceRecord &record : llvm::ArrayRef(records).drop_front(5))
    llvm::cantFail(journal->append(record)); // two come again
  JournalContents contents = llvm::cantFail(readJournal(path));
  EXPECT_EQ(contents.records, records);
  EXPECT_EQ(contents.identity.calibration, makeIdentity().calibration);
}

/// Cut anywhere after its first line, a journal loses the torn record and no other.
TEST_F(JournalTest, EveryTearIsRepaired) {
  write(llvm::ArrayRef(records).take_front(3));
  std::string whole = readAll(path);
  std::vector<size_t> ends; // past each line
  for (size_t i = 0; i < whole.size(); ++i)
    if (whole[i] == '\n')
      ends.push_back(i + 1);
  ASSERT_EQ(ends.size(), 4u);
  std::set<size_t> cuts;
  for (size_t cut = ends[0]; cut < whole.size(); cut += 1 + cut % 13)
    cuts.insert(cut);
  for (size_t i = 1; i < ends.size(); ++i)
    cuts.insert({ends[i] - 1, ends[i]}); // only the end of the line is missing, or nothing
  for (size_t cut : cuts) {
    folder.write("sweep.jsonl", whole.substr(0, cut));
    size_t numGood = std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin() - 1;
    {
      auto journal = llvm::cantFail(Journal::open(path, makeIdentity()));
      EXPECT_EQ(journal->getRecords().size(), numGood);
      EXPECT_EQ(journal->getNote().empty(), cut == ends[numGood]);
      for (const SequenceRecord &record : llvm::ArrayRef(records).slice(numGood, 3 - numGood))
        llvm::cantFail(journal->append(record));
    }
    EXPECT_EQ(readAll(path), whole);
  }
}

/// A power cut may leave a last line of the right length and other bytes.
TEST_F(JournalTest, LastLineOfGarbageIsDropped) {
  write(llvm::ArrayRef(records).take_front(2));
  std::string whole = readAll(path);
  std::string bad = whole;
  bad[bad.size() - 60] ^= 1;
  folder.write("sweep.jsonl", bad);
  JournalContents contents = llvm::cantFail(readJournal(path));
  EXPECT_EQ(contents.records.size(), 1u);
  expectMessage(contents.note, ":3: the line is damaged");
}

TEST_F(JournalTest, DamageInTheMiddleIsAnError) {
  write(llvm::ArrayRef(records).take_front(3));
  std::string whole = readAll(path);
  size_t second = whole.find('\n') + 1;
  for (size_t at : {second + 5, second + 40, whole.find('\n', second) - 3}) {
    std::string bad = whole;
    bad[at] ^= 1;
    folder.write("sweep.jsonl", bad);
    expectMessage(getMessage(readJournal(path)), "sweep.jsonl:2: ");
    expectMessage(getMessage(Journal::open(path, makeIdentity())), "sweep.jsonl:2: ");
    EXPECT_EQ(readAll(path), bad);
  }
}

TEST_F(JournalTest, ContradictionIsAnError) {
  write({records[0], records[1]});
  {
    auto journal = llvm::cantFail(Journal::open(path, makeIdentity()));
    SequenceRecord other = records[0];
    other.sums->reverseKL *= 2;
    llvm::cantFail(journal->append(other));
    llvm::cantFail(journal->append(records[2]));
  }
  expectMessage(getMessage(readJournal(path)),
                "sweep.jsonl:4: sequence 0 of 'layers.0.in:weight' as 'i4' contradicts");
}

TEST_F(JournalTest, AnotherRunIsRefused) {
  write(records);
  std::string before = readAll(path);
  RunIdentity other = makeIdentity();
  other.sequenceLength = 8;
  expectMessage(getMessage(Journal::open(path, other)),
                "sweep.jsonl belongs to another run: its sequenceLength is '16', and here it is "
                "'8'; name another file, or delete it to start over");
  EXPECT_EQ(readAll(path), before);
}

TEST_F(JournalTest, OneWriterAtATime) {
  auto journal = llvm::cantFail(Journal::open(path, makeIdentity()));
  expectMessage(getMessage(Journal::open(path, makeIdentity())), "another process writes");
}

TEST_F(JournalTest, WhatIsNoJournalIsLeftAlone) {
  for (const char *bytes :
       {"text\n", "text", "{}\n{}\n", "\n", "{\"document\":\"ssmq-journal\"}\n"}) {
    folder.write("sweep.jsonl", bytes);
    EXPECT_NE(getMessage(Journal::open(path, makeIdentity())), "");
    EXPECT_EQ(readAll(path), bytes);
  }
  expectMessage(getMessage(readJournal(folder / "none")), "none");
  folder.write("empty", "");
  expectMessage(getMessage(readJournal(folder / "empty")), "the journal is empty");
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  expectMessage(getMessage(Journal::open(folder / "fifo", makeIdentity())), "regular file");
}

TEST_F(JournalTest, BadSumsAreNotWritten) {
  auto journal = llvm::cantFail(Journal::open(path, makeIdentity()));
  SequenceRecord bad = records[0];
  bad.sums->forwardKL = NAN;
  expectMessage(getMessage(journal->append(bad)), "forwardKL is nan");
  EXPECT_TRUE(llvm::cantFail(readJournal(path)).records.empty());
}

} // namespace
