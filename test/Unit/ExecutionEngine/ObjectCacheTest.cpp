//===- ObjectCacheTest.cpp - Compiled programs kept on disk ---------------===//

#include "ObjectCache.h"

#include "TestModule.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"
#include "ssmq/ExecutionEngine/CompiledProgram.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

using namespace ssmq;
using namespace ssmq::test;
namespace fs = llvm::sys::fs;

namespace {

/// How often a pipeline ran that begins with this pass.
int numLowerings = 0;

struct CountLowerings
    : public mlir::PassWrapper<CountLowerings, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CountLowerings)
  llvm::StringRef getArgument() const override { return "test-count-lowerings"; }
  void runOnOperation() override { ++numLowerings; }
};

std::string read(llvm::StringRef path) {
  return (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
}
void write(llvm::StringRef path, llvm::StringRef bytes) {
  std::ofstream(path.str(), std::ios::binary).write(bytes.data(), bytes.size());
}

class ObjectCacheTest : public ::testing::Test {
protected:
  void SetUp() override {
    static bool registered = (mlir::PassRegistration<CountLowerings>(), true);
    (void)registered;
    ASSERT_FALSE(fs::createUniqueDirectory("ssmq-cache", root));
    setenv("SSMQ_CACHE_DIR", root.c_str(), /*overwrite=*/true);
    numLowerings = 0;
  }
  void TearDown() override {
    unsetenv("SSMQ_CACHE_DIR");
    fs::remove_directories(root);
  }

  /// Compiles the tiny program and checks what it computes.
  void compileAndRun(CompileOptions options = {}, bool decode = false,
                     WeightResolver weights = resolve) {
    mlir::OwningOpRef<mlir::ModuleOp> source = parse(*context, /*threaded=*/false, decode);
    auto program = CompiledProgram::compileSource(*source, llvm::cantFail(readSignature(*source)),
                                                  "test-count-lowerings," + std::string(kLowering),
                                                  weights, options);
    ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
    ProgramState state = llvm::cantFail((*program)->createState(2));
    Tensor logits = llvm::cantFail((*program)->forward({1, 4}, state));
    EXPECT_EQ(logits.data<float>()[kVocab + 1], expectedLogit({1, 4}, 1, 1));
  }

  static llvm::Expected<Tensor> resolve(llvm::StringRef) {
    return Tensor::fromData<float>({kVocab}, kScale);
  }

  std::vector<std::string> listEntries() const {
    std::vector<std::string> entries;
    std::error_code code;
    for (fs::directory_iterator it(root + "/programs", code), end; it != end && !code;
         it.increment(code))
      entries.push_back(it->path());
    return entries;
  }

  llvm::SmallString<128> root;
  std::unique_ptr<mlir::MLIRContext> context = createContext();
};

TEST_F(ObjectCacheTest, SecondTimeIsNotLowered) {
  compileAndRun();
  compileAndRun();
  EXPECT_EQ(numLowerings, 1);
  EXPECT_EQ(listEntries().size(), 1u);
  // In a context of its own, as in another process.
  context = createContext();
  compileAndRun();
  EXPECT_EQ(numLowerings, 1);
}

TEST_F(ObjectCacheTest, WhatChangesCodeIsAnotherEntry) {
  compileAndRun();
  CompileOptions options;
  options.optLevel = 1;
  compileAndRun(options);
  options.features = "-avx512f";
  compileAndRun(options);
  compileAndRun({}, /*decode=*/true);
  EXPECT_EQ(numLowerings, 4);
  EXPECT_EQ(listEntries().size(), 4u);
  options = {};
  options.threads = 2;
  compileAndRun(options);
  EXPECT_EQ(numLowerings, 4);
}

TEST_F(ObjectCacheTest, OffKeepsNothing) {
  CompileOptions options;
  options.useCache = false;
  compileAndRun(options);
  setenv("SSMQ_CACHE_DIR", "", /*overwrite=*/true);
  compileAndRun();
  EXPECT_EQ(numLowerings, 2);
  EXPECT_TRUE(listEntries().empty());
}

TEST_F(ObjectCacheTest, DamagedEntriesAreReplaced) {
  compileAndRun();
  ASSERT_EQ(listEntries().size(), 1u);
  std::string path = listEntries().front(), whole = read(path);
  std::vector<std::string> damaged = {"", whole.substr(0, 20), whole.substr(0, whole.size() - 1),
                                      whole + "x"};
  for (size_t at : {size_t(0), size_t(10), size_t(50), size_t(73), whole.size() / 2})
    (damaged.emplace_back(whole))[at] ^= 1;
  for (size_t i = 0; i < damaged.size(); ++i) {
    write(path, damaged[i]);
    compileAndRun();
    EXPECT_EQ(numLowerings, int(i) + 2) << "damage " << i << " was not seen";
    EXPECT_EQ(read(path), whole);
  }
}

TEST_F(ObjectCacheTest, EntriesOfOtherKeysAreNotTaken) {
  compileAndRun();
  std::string first = listEntries().front();
  compileAndRun({}, /*decode=*/true);
  for (const std::string &entry : listEntries())
    if (entry != first)
      write(entry, read(first));
  compileAndRun({}, /*decode=*/true);
  EXPECT_EQ(numLowerings, 3);
}

TEST_F(ObjectCacheTest, LessAlignedWeightsAreCompiledFor) {
  alignas(64) char bytes[sizeof(kScale) + 4];
  std::memcpy(bytes + 4, kScale, sizeof(kScale));
  compileAndRun();
  auto unaligned = [&](llvm::StringRef) -> llvm::Expected<Tensor> {
    return Tensor::borrow(DType::F32, {kVocab}, bytes + 4, nullptr);
  };
  compileAndRun({}, false, unaligned);
  EXPECT_EQ(numLowerings, 2);
  // What fits little alignment fits more.
  compileAndRun();
  EXPECT_EQ(numLowerings, 2);
}

TEST_F(ObjectCacheTest, FoldersThatCannotBeUsedCostNothingElse) {
  write((root + "/file").str(), "");
  setenv("SSMQ_CACHE_DIR", (root + "/file").str().c_str(), /*overwrite=*/true);
  compileAndRun();
  EXPECT_EQ(read((root + "/file").str()), "");

  // Others could put code there.
  setenv("SSMQ_CACHE_DIR", root.c_str(), /*overwrite=*/true);
  ASSERT_EQ(mkdir((root + "/programs").str().c_str(), 0700), 0);
  ASSERT_EQ(chmod((root + "/programs").str().c_str(), 0777), 0);
  compileAndRun();
  EXPECT_TRUE(listEntries().empty());
  EXPECT_EQ(numLowerings, 2);
}

TEST_F(ObjectCacheTest, WhatWasNotUsedForLongestGoes) {
  ProgramObject object;
  object.code = llvm::MemoryBuffer::getMemBuffer("0123456789");
  uint64_t oneEntry = serialize(object).size() + 8 + 2 * sizeof(ProgramKey);
  auto cache = ObjectCache::open((root + "/programs").str(), 3 * oneEntry);
  ASSERT_TRUE(cache);
  auto makeKey = [](uint8_t number) {
    ProgramKey key{};
    key[0] = number;
    return key;
  };
  for (uint8_t number : {1, 2, 3}) {
    cache->store(makeKey(number), object);
    // All in the past, each a second after the one before.
    for (const std::string &entry : listEntries())
      if (llvm::sys::path::filename(entry).starts_with("0" + std::to_string(number))) {
        timespec times[2] = {{1000 + number, 0}, {1000 + number, 0}};
        ASSERT_EQ(utimensat(AT_FDCWD, entry.c_str(), times, 0), 0);
      }
  }
  EXPECT_TRUE(cache->lookup(makeKey(1)));
  cache->store(makeKey(4), object);
  EXPECT_TRUE(cache->lookup(makeKey(1)));
  EXPECT_FALSE(cache->lookup(makeKey(2)));
  EXPECT_TRUE(cache->lookup(makeKey(3)));
  EXPECT_TRUE(cache->lookup(makeKey(4)));
  // One that is too large for the rest stays alone.
  auto small = ObjectCache::open((root + "/programs").str(), 1);
  small->store(makeKey(5), object);
  EXPECT_EQ(listEntries().size(), 1u);
}

} // namespace
