//===- LibraryTest.cpp - Programs compiled ahead of time ------------------===//

#include "ssmq/ExecutionEngine/Library.h"

#include "TestModule.h"
#include "mlir/IR/MLIRContext.h"
#include "ssmq/ExecutionEngine/CompiledProgram.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "gtest/gtest.h"
#include <fstream>

using namespace ssmq;
using namespace ssmq::test;

namespace {

std::string message(llvm::Error error) { return llvm::toString(std::move(error)); }

class LibraryTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("ssmq-test", folder));
    // The scale at an odd offset, after and before other bytes.
    std::ofstream file(path("a \"b\\.bin"), std::ios::binary);
    file.write("header!", 7);
    file.write(reinterpret_cast<const char *>(kScale), sizeof(kScale));
    file.write("more", 4);
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string path(llvm::StringRef name) { return (folder + "/" + name).str(); }
  void prepare(bool threaded = false, bool decode = false) {
    module = parse(*context, threaded, decode);
    signature = llvm::cantFail(readSignature(*module));
    ASSERT_TRUE(lower(*module));
  }
  llvm::Expected<FileRange> locate(llvm::StringRef) {
    return FileRange{path("a \"b\\.bin"), 7, sizeof(kScale)};
  }
  WeightLocator locator() { return located; }

  /// Runs a program in the folder and returns what it prints, or its exit code.
  std::string run(llvm::ArrayRef<llvm::StringRef> command) {
    std::string out = path("out.txt"), why;
    int code = llvm::sys::ExecuteAndWait(command.front(), command, std::nullopt,
                                         {"", llvm::StringRef(out), std::nullopt}, 0, 0, &why);
    if (code)
      return "exit code " + std::to_string(code) + " " + why;
    return (*llvm::MemoryBuffer::getFile(out))->getBuffer().str();
  }

  /// Compiles the C host with both headers, which must be free of warnings, and runs it.
  std::string runHost(llvm::StringRef first, llvm::StringRef second) {
    std::string exe = path("host"), include = ("-I" + folder).str();
    std::string rpath = ("-Wl,-rpath," + folder).str();
    std::string compiled =
        run({SSMQ_TEST_CLANG, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", include,
             SSMQ_TEST_SOURCE "/host.c", first, second, "-lm", "-o", exe, rpath});
    return compiled.empty() ? run({exe}) : compiled;
  }

  std::vector<std::string> listFiles() {
    std::vector<std::string> names;
    std::error_code code;
    for (llvm::sys::fs::directory_iterator it(folder, code), end; it != end && !code;
         it.increment(code))
      names.push_back(llvm::sys::path::filename(it->path()).str());
    return names;
  }

  llvm::SmallString<128> folder;
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ProgramSignature signature;
  std::function<llvm::Expected<FileRange>(llvm::StringRef)> located = [this](llvm::StringRef name) {
    return locate(name);
  };
};

/// What host.c prints when all is well.
std::string expectedOutput(float decodeBias) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  const int32_t tokens[] = {1, 4, 0, 2};
  auto print = [&](size_t t, float bias) {
    for (int64_t v = 0; v < kVocab; ++v)
      stream << llvm::format("%.9g\n", expectedLogit(tokens, t, v) + bias);
  };
  for (size_t t = 0; t < 4; ++t)
    print(t, t == 3 ? decodeBias : 0);
  print(0, 0);
  return text;
}

TEST_F(LibraryTest, CProgramRunsObjectAndSharedLibraryTogether) {
  prepare(/*threaded=*/false, /*decode=*/true);
  LibraryOptions first{"first", {}}, second{"second", {}};
  auto error = emitSharedLibrary(*module, signature, locator(), first, path("libfirst.so"));
  ASSERT_FALSE(bool(error)) << message(std::move(error));
  prepare();
  error = emitObject(*module, signature, locator(), second, path("second.o"));
  ASSERT_FALSE(bool(error)) << message(std::move(error));
  llvm::cantFail(emitHeader(signature, first, path("first.h")));
  llvm::cantFail(emitHeader(signature, second, path("second.h")));
  EXPECT_EQ(runHost(path("libfirst.so"), path("second.o")), expectedOutput(1000));
}

TEST_F(LibraryTest, TwoObjectsInOneExecutable) {
  prepare();
  for (const char *name : {"first", "second"}) {
    LibraryOptions options{name, {}};
    options.compile.optLevel = 0;
    llvm::cantFail(
        emitObject(*module, signature, locator(), options, path(std::string(name) + ".o")));
    llvm::cantFail(emitHeader(signature, options, path(std::string(name) + ".h")));
  }
  EXPECT_EQ(runHost(path("first.o"), path("second.o")), expectedOutput(0));
}

constexpr llvm::StringLiteral kLoader = R"c(
#include "plain.h"
#include <stdio.h>
int main(int argc, char **argv) {
  plain_state *state;
  float logits[PLAIN_VOCAB_SIZE];
  const int32_t token = 3;
  plain_state_create(1, &state);
  if (plain_forward(state, &token, 1, logits) != PLAIN_NO_WEIGHTS)
    return 99;
  int status = plain_load_weights(argv[argc - 1]);
  if (status == PLAIN_OK)
    status = plain_forward(state, &token, 1, logits);
  if (status == PLAIN_OK)
    printf("%g %g\n", logits[0], logits[2]);
  plain_state_destroy(state);
  return status;
}
)c";

TEST_F(LibraryTest, HostLoadsWeightsOfTheSameFileOnly) {
  prepare();
  LibraryOptions options{"plain", {}, /*embedWeights=*/false};
  auto error = emitSharedLibrary(*module, signature, locator(), options, path("plain.so"));
  ASSERT_FALSE(bool(error)) << message(std::move(error));
  llvm::cantFail(emitHeader(signature, options, path("plain.h")));
  std::ofstream(path("loader.c")) << kLoader.str();
  std::string include = ("-I" + folder).str(), rpath = ("-Wl,-rpath," + folder).str();
  EXPECT_EQ(run({SSMQ_TEST_CLANG, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", include,
                 path("loader.c"), path("plain.so"), "-o", path("loader"), rpath}),
            "");
  EXPECT_EQ(run({path("loader"), folder}), "3 -6\n");

  std::string other = path("other");
  ASSERT_FALSE(llvm::sys::fs::create_directory(other));
  EXPECT_EQ(run({path("loader"), other}), "exit code 5 ");
  auto writeOther = [&](llvm::StringRef head, llvm::StringRef tail) {
    std::ofstream file(other + "/a \"b\\.bin", std::ios::binary);
    file << head.str();
    file.write(reinterpret_cast<const char *>(kScale), sizeof(kScale));
    file << tail.str();
  };
  writeOther("Header!", "more");
  EXPECT_EQ(run({path("loader"), other}), "exit code 6 ");
  writeOther("header!", "mor");
  EXPECT_EQ(run({path("loader"), other}), "exit code 6 ");
  writeOther("header!", "MORE");
  EXPECT_EQ(run({path("loader"), other}), "3 -6\n");
}

TEST_F(LibraryTest, ThreadedLibraryBringsItsRuntime) {
  prepare(/*threaded=*/true);
  for (const char *name : {"first", "second"}) {
    LibraryOptions options{name, {}};
    llvm::cantFail(
        emitSharedLibrary(*module, signature, locator(), options, path(std::string(name) + ".so")));
    llvm::cantFail(emitHeader(signature, options, path(std::string(name) + ".h")));
  }
  EXPECT_EQ(runHost(path("first.so"), path("second.so")), expectedOutput(0));
}

TEST_F(LibraryTest, RefusalsLeaveNothing) {
  prepare();
  std::vector<std::string> before = listFiles();
  auto fails = [&](llvm::StringRef name = "first") {
    return message(
        emitSharedLibrary(*module, signature, locator(), {name.str(), {}}, path("lib.so")));
  };
  EXPECT_EQ(fails("a-b"), "the name 'a-b' is not a C identifier");
  EXPECT_EQ(message(emitHeader(signature, {"", {}}, path("x.h"))),
            "the name '' is not a C identifier");
  located = [](llvm::StringRef) { return llvm::createStringError("no such weight"); };
  EXPECT_EQ(fails(), "no such weight");
  located = [this](llvm::StringRef) { return FileRange{path("a \"b\\.bin"), 7, 10}; };
  EXPECT_EQ(fails(), "weight 'model.layers.0.mamba.in_proj.weight' has 10 bytes and the program "
                     "reads 20; is the checkpoint the one that was imported?");
  located = [this](llvm::StringRef) { return FileRange{path("a \"b\\.bin"), 12, 20}; };
  EXPECT_EQ(fails(), "weight 'model.layers.0.mamba.in_proj.weight' lies past the end of " +
                         path("a \"b\\.bin"));
  located = [this](llvm::StringRef) { return FileRange{path("none"), 0, 20}; };
  EXPECT_EQ(fails(), "cannot read weight 'model.layers.0.mamba.in_proj.weight' from " +
                         path("none") + ": No such file or directory");
  auto failsCalling = [&](const std::string &callee) {
    module = parseText(*context, "llvm.func @" + callee + R"mlir(()
      llvm.func @_mlir_ciface_forward(%a: !llvm.ptr, %b: !llvm.ptr) {
        llvm.call @)mlir" + callee + R"mlir(() : () -> ()
        llvm.return
      })mlir");
    signature.states.clear();
    return fails();
  };
  std::string error = failsCalling("ssmq_no_such_function");
  EXPECT_NE(error.find("undefined symbol: ssmq_no_such_function"), std::string::npos) << error;
  EXPECT_EQ(failsCalling("ssmq_gemm"),
            "the program calls the library of ssmq, which an emitted one does without; lower it "
            "without onednn-gemm and profile");
  EXPECT_EQ(listFiles(), before);
}

TEST(LibraryNameTest, IsAnIdentifier) {
  EXPECT_EQ(makeLibraryName("out/granite-hybrid-5m.so"), "granite_hybrid_5m");
  EXPECT_EQ(makeLibraryName("5m"), "_5m");
  EXPECT_EQ(makeLibraryName(""), "_");
}

} // namespace
