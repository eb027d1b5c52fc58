//===- TeacherCacheTest.cpp - A teacher's logits on file ------------------===//

#include "ssmq/Measure/TeacherCache.h"

#include "../Support/TempFolder.h"
#include "ssmq/Import/Safetensors.h"
#include "gtest/gtest.h"

using namespace ssmq;
using namespace ssmq::test;

namespace {

class TeacherCacheTest : public testing::Test {
protected:
  /// Sequences of 2, 2 and 1 positions.
  static llvm::Expected<Tensor> getLogits(int64_t sequence) {
    const std::vector<float> rows[] = {{0.1f, 2, 3, -4}, {5, 6e-30f, 7, 8}, {9, 10}};
    const auto &values = rows[sequence];
    return Tensor::fromData<float>({int64_t(values.size()) / 2, 2}, values);
  }
  void write(unsigned threads) {
    llvm::cantFail(writeTeacherCache(path, identity, 3, threads, getLogits));
  }
  std::string refuse(const TeacherCacheIdentity &expected) {
    return getMessage(TeacherCache::open(path, expected));
  }

  TempFolder folder;
  std::string path = folder / "teacher.safetensors";
  TeacherCacheIdentity identity{"me", "abcd", 3, 5, 2};
};

TEST_F(TeacherCacheTest, KeepsEveryBit) {
  for (unsigned threads : {1u, 2u, 7u}) {
    write(threads);
    TeacherCache cache = llvm::cantFail(TeacherCache::open(path, identity));
    for (int64_t sequence = 0, first = 0; sequence < 3; ++sequence) {
      Tensor expected = llvm::cantFail(getLogits(sequence));
      Tensor found = cache.getLogits(first, expected.getDim(0));
      EXPECT_EQ(found.getShape(), expected.getShape());
      EXPECT_EQ(found.data<float>(), expected.data<float>());
      first += expected.getDim(0);
    }
    EXPECT_EQ(folder.count(), 1u);
  }
}

TEST_F(TeacherCacheTest, RowsOutliveTheCache) {
  write(1);
  Tensor rows = llvm::cantFail(TeacherCache::open(path, identity)).getLogits(4, 1);
  EXPECT_EQ(rows.data<float>()[1], 10);
}

TEST_F(TeacherCacheTest, AnotherEvaluationIsRefused) {
  write(2);
  auto other = [&](auto change) {
    TeacherCacheIdentity expected = identity;
    change(expected);
    return refuse(expected);
  };
  expectMessage(other([](auto &one) { one.teacher = "you"; }),
                "teacher.safetensors belongs to another evaluation: its teacher is 'me', and here "
                "it is 'you'; name another file, or delete it to write it again");
  expectMessage(other([](auto &one) { one.tokensDigest = "ef"; }), "its tokensDigest is 'abcd'");
  expectMessage(other([](auto &one) { one.sequenceLength = 4; }), "its sequenceLength is '3'");
  expectMessage(other([](auto &one) { one.vocabSize = 3; }), "its vocabSize is '2'");
  expectMessage(other([](auto &one) { one.numScored = 4; }), "must hold 'logits', f32 [4, 2]");
  EXPECT_EQ(other([](auto &one) { one.teacher = ""; }), "");
}

TEST_F(TeacherCacheTest, WhatIsNoSuchFile) {
  llvm::cantFail(writeSafetensors(path, {{"logits", Tensor::zeros(DType::F32, {5, 2})}}));
  expectMessage(refuse(identity), "this is no file of a teacher's logits");
  SafetensorsMetadata metadata = {{"document", "ssmq-teacher-logits"},
                                  {"version", "1"},
                                  {"teacher", "me"},
                                  {"tokensDigest", "abcd"},
                                  {"sequenceLength", "3"},
                                  {"vocabSize", "2"}};
  llvm::cantFail(writeSafetensors(path, {{"logits", Tensor::zeros(DType::F16, {5, 2})}}, metadata));
  expectMessage(refuse(identity), "is damaged: it must hold 'logits', f32 [5, 2]");
  write(1);
  std::string bytes = readAll(path);
  folder.write("teacher.safetensors", bytes.substr(0, bytes.size() - 4));
  expectMessage(refuse(identity), "teacher.safetensors");
}

TEST_F(TeacherCacheTest, FailuresLeaveNoFile) {
  auto fail = [](int64_t sequence) -> llvm::Expected<Tensor> {
    if (sequence == 1)
      return llvm::createStringError("no");
    return getLogits(sequence);
  };
  EXPECT_EQ(llvm::toString(writeTeacherCache(path, identity, 3, 1, fail)), "sequence 1: no");
  identity.numScored = 6;
  expectMessage(llvm::toString(writeTeacherCache(path, identity, 3, 1, getLogits)),
                "tensor 'logits' has 40 bytes, not 48");
  identity.numScored = int64_t(1) << 38;
  expectMessage(llvm::toString(writeTeacherCache(path, identity, 3, 1, getLogits)),
                "No space left on device");
  EXPECT_EQ(folder.count(), 0u);
}

} // namespace
