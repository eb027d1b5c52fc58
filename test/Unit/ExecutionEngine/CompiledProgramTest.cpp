//===- CompiledProgramTest.cpp - Modules compiled in memory ---------------===//

#include "ssmq/ExecutionEngine/CompiledProgram.h"

#include "TestModule.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/ScopeExit.h"
#include "gtest/gtest.h"
#include <dlfcn.h>
#include <thread>

using namespace ssmq;
using namespace ssmq::test;

namespace {

std::string message(llvm::Error error) { return llvm::toString(std::move(error)); }

llvm::Expected<Tensor> resolve(llvm::StringRef name) {
  if (name != kWeightName)
    return llvm::createStringError("no weight '%s'", name.str().c_str());
  return Tensor::fromData<float>({kVocab}, kScale);
}

class CompiledProgramTest : public ::testing::Test {
protected:
  llvm::Expected<std::unique_ptr<CompiledProgram>> build(mlir::OwningOpRef<mlir::ModuleOp> source,
                                                         CompileOptions options = {},
                                                         WeightResolver weights = resolve) {
    EXPECT_TRUE(source);
    module = std::move(source);
    llvm::Expected<ProgramSignature> signature = readSignature(*module);
    if (!signature)
      return signature.takeError();
    EXPECT_TRUE(lower(*module));
    return CompiledProgram::compile(*module, *signature, weights, options);
  }

  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Feeds `tokens` in chunks and checks every logit; `bias` is what one-token calls add.
void checkChunks(const Program &program, llvm::ArrayRef<int32_t> tokens,
                 llvm::ArrayRef<size_t> chunks, float bias = 0) {
  auto state = program.createState(tokens.size());
  ASSERT_TRUE(bool(state)) << message(state.takeError());
  size_t at = 0;
  for (size_t chunk : chunks) {
    auto logits = program.forward(tokens.slice(at, chunk), *state);
    ASSERT_TRUE(bool(logits)) << message(logits.takeError());
    for (size_t t = 0; t < chunk; ++t)
      for (int64_t v = 0; v < kVocab; ++v)
        EXPECT_EQ(logits->data<float>()[t * kVocab + v],
                  expectedLogit(tokens, at + t, v) + (chunk == 1 ? bias : 0));
    at += chunk;
    EXPECT_EQ(state->length, int64_t(at));
    EXPECT_EQ(state->values[0].data<int32_t>()[0], int32_t(at));
  }
}

TEST_F(CompiledProgramTest, AnyChunksGiveTheSameLogits) {
  for (unsigned level : {0u, 3u}) {
    CompileOptions options;
    options.optLevel = level;
    auto program = build(parse(*context), options);
    ASSERT_TRUE(bool(program)) << message(program.takeError());
    EXPECT_EQ((*program)->getVocabSize(), kVocab);
    checkChunks(**program, {1, 4, 0, 2, 3, 1}, {6});
    checkChunks(**program, {1, 4, 0, 2, 3, 1}, {1, 2, 0, 3});
  }
}

TEST_F(CompiledProgramTest, OneTokenUsesDecode) {
  auto program = build(parse(*context, /*threaded=*/false, /*decode=*/true));
  ASSERT_TRUE(bool(program)) << message(program.takeError());
  checkChunks(**program, {1, 4, 0, 2}, {2, 1, 1}, /*bias=*/1000);
}

TEST_F(CompiledProgramTest, OpenMPThreads) {
  CompileOptions options;
  options.threads = 2;
  auto program = build(parse(*context, /*threaded=*/true), options);
  ASSERT_TRUE(bool(program)) << message(program.takeError());
  checkChunks(**program, {1, 4, 0, 2, 3, 1}, {4, 1, 1});
  void *runtime = dlopen("libomp.so.5", RTLD_LAZY | RTLD_NOLOAD);
  EXPECT_NE(runtime, nullptr) << "the code was not threaded";
  if (runtime)
    dlclose(runtime);
}

// The heap of a position-independent executable lies terabytes away from mapped code, out of reach
// of a 32-bit offset; unaligned bytes are what a mapped file may give.
TEST_F(CompiledProgramTest, FarAndUnalignedWeightsAreNotCopied) {
  auto *far = static_cast<char *>(std::malloc(sizeof(kScale) + 4));
  llvm::scope_exit release([&] { std::free(far); });
  std::memcpy(far + 4, kScale, sizeof(kScale));
  auto lookup = [&](llvm::StringRef) -> llvm::Expected<Tensor> {
    return Tensor::borrow(DType::F32, {kVocab}, far + 4, nullptr);
  };
  auto program = build(parse(*context), {}, lookup);
  ASSERT_TRUE(bool(program)) << message(program.takeError());
  checkChunks(**program, {3, 1}, {2});

  float changed = 8;
  std::memcpy(far + 4, &changed, sizeof(changed));
  auto state = llvm::cantFail((*program)->createState(1));
  Tensor logits = llvm::cantFail((*program)->forward({3}, state));
  EXPECT_EQ(logits.data<float>()[0], 24);
}

TEST_F(CompiledProgramTest, CopyOfStateIsASnapshot) {
  auto program = build(parse(*context));
  ASSERT_TRUE(bool(program)) << message(program.takeError());
  ProgramState state = llvm::cantFail((*program)->createState(3));
  llvm::cantFail((*program)->forward({2}, state));
  ProgramState snapshot = state;
  llvm::cantFail((*program)->forward({4, 4}, state));
  EXPECT_EQ(snapshot.values[0].data<int32_t>()[0], 1);
  Tensor logits = llvm::cantFail((*program)->forward({1}, snapshot));
  EXPECT_EQ(logits.data<float>()[0], expectedLogit({2, 1}, 1, 0));
}

TEST_F(CompiledProgramTest, StatesOnSeveralThreads) {
  auto program = build(parse(*context));
  ASSERT_TRUE(bool(program)) << message(program.takeError());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 50; ++repeat)
        checkChunks(**program, {i, 4 - i, 0, 2}, {1, 3});
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST_F(CompiledProgramTest, RefusesBadFeeds) {
  auto program = build(parse(*context));
  ASSERT_TRUE(bool(program)) << message(program.takeError());
  ProgramState state = llvm::cantFail((*program)->createState(2));
  auto fails = [&](llvm::ArrayRef<int32_t> tokens, ProgramState &target) {
    return message((*program)->forward(tokens, target).takeError());
  };
  EXPECT_EQ(fails({5}, state), "token 5 is outside the vocabulary of 5");
  EXPECT_EQ(fails({-1}, state), "token -1 is outside the vocabulary of 5");
  EXPECT_EQ(fails({1, 1, 1}, state),
            "3 tokens after 0 do not fit a state made for 2; create it with a larger capacity");
  EXPECT_EQ(state.length, 0);
  ProgramState foreign = state;
  foreign.values[1] = Tensor::zeros(DType::F32, {1});
  EXPECT_EQ(fails({1}, foreign),
            "state 'layers.0.sums' is not of this program; make it by createState");
  EXPECT_EQ(message((*program)->createState(-1).takeError()),
            "the capacity is -1 tokens; it cannot be negative");
}

TEST_F(CompiledProgramTest, RefusesWeightsThatDoNotFit) {
  auto missing = [](llvm::StringRef) -> llvm::Expected<Tensor> {
    return llvm::createStringError("no such weight");
  };
  EXPECT_EQ(message(build(parse(*context), {}, missing).takeError()), "no such weight");
  auto tooShort = [](llvm::StringRef) -> llvm::Expected<Tensor> {
    return Tensor::zeros(DType::F16, {kVocab});
  };
  EXPECT_EQ(message(build(parse(*context), {}, tooShort).takeError()),
            "weight 'model.layers.0.mamba.in_proj.weight' has 10 bytes and the program reads 20; "
            "is the checkpoint the one that was imported?");
}

TEST_F(CompiledProgramTest, RefusesModulesThatAreNotLowered) {
  module = parse(*context);
  auto signature = llvm::cantFail(readSignature(*module));
  std::string error =
      message(CompiledProgram::compile(*module, signature, resolve, {}).takeError());
  EXPECT_TRUE(llvm::StringRef(error).starts_with("the module does not translate to LLVM IR"))
      << error;
}

TEST_F(CompiledProgramTest, RefusesEntriesOfAnotherForm) {
  ProgramSignature signature;
  signature.vocabSize = 3;
  auto compile = [&](llvm::StringRef text) {
    module = parseText(*context, text);
    return message(CompiledProgram::compile(*module, signature, resolve, {}).takeError());
  };
  EXPECT_EQ(compile("module {}"),
            "the lowered module defines no _mlir_ciface_forward; run --ssmq-lower-to-cpu");
  EXPECT_EQ(compile("llvm.func @_mlir_ciface_forward(%a: !llvm.ptr) { llvm.return }"),
            "_mlir_ciface_forward must return nothing and take 2 memref descriptors (tokens, "
            "states, logits)");
}

TEST_F(CompiledProgramTest, NamesFunctionsThatAreMissing) {
  module = parseText(*context, R"mlir(
    llvm.func @ssmq_no_such_function()
    llvm.func @_mlir_ciface_forward(%a: !llvm.ptr, %b: !llvm.ptr) {
      llvm.call @ssmq_no_such_function() : () -> ()
      llvm.return
    })mlir");
  ProgramSignature signature;
  signature.vocabSize = 3;
  std::string error =
      message(CompiledProgram::compile(*module, signature, resolve, {}).takeError());
  EXPECT_EQ(error, "the compiled code does not link: Symbols not found: [ ssmq_no_such_function ]");
}

} // namespace
