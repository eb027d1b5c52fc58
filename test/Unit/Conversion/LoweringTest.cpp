//===- LoweringTest.cpp - Compiled programs against the interpreter -------===//

#include "LoweringTest.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"
#include "ssmq/InitAll.h"
#include "ssmq/Pipelines/LowerToCPU.h"
#include "ssmq/Reference/InterpreterProgram.h"
#include "ssmq/Support/HalfFloat.h"
#include <random>
#include <sys/mman.h>
#include <unistd.h>

using namespace ssmq;
using namespace ssmq::test;
using mlir::ssm::InterpreterProgram;

static constexpr int64_t kTableRows = 23;

ProgramText::ProgramText(int64_t inputColumns, llvm::StringRef inputType) {
  std::string table = format("$0x$1x", {kTableRows, inputColumns}) + inputType.str();
  weight("table", table);
  line("%x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<" + table + ">) -> tensor<?x" +
       llvm::Twine(inputColumns) + "xf32>");
}

ProgramText &ProgramText::weight(llvm::StringRef name, llvm::StringRef type) {
  std::string full = ("tensor<" + type + ">").str();
  globals += ("ml_program.global private @" + name + "(#ml_program.extern : " + full +
              ") : " + full + "\n")
                 .str();
  return line("%" + name + " = ml_program.global_load_const @" + name + " : " + full);
}

ProgramText &ProgramText::state(llvm::StringRef name, llvm::StringRef type) {
  states += (", %" + name + ": tensor<" + type + "> {ssm.state = \"" + name + "\"}").str();
  nextStates += (", %next_" + name).str();
  stateTypes += (", tensor<" + type + ">").str();
  return *this;
}

ProgramText &ProgramText::line(const llvm::Twine &text) {
  body += "  " + text.str() + "\n";
  return *this;
}

std::string ProgramText::finish(int64_t outputColumns) const {
  std::string types = format("(tensor<?x$0xf32>, tensor<i32>", {outputColumns}) + stateTypes + ")";
  return globals + "func.func @forward(%tokens: tensor<?xi32>, %position: tensor<i32>" +
         " {ssm.state = \"position\"}" + states + ") -> " + types +
         " {\n  %c0 = arith.constant 0 : index\n  %n = tensor.dim %tokens, %c0 : tensor<?xi32>\n" +
         body +
         "  %n32 = arith.index_cast %n : index to i32\n"
         "  %grown = tensor.splat %n32 : tensor<i32>\n"
         "  %next = arith.addi %position, %grown : tensor<i32>\n"
         "  return %y, %next" +
         nextStates + " : " + types.substr(1, types.size() - 2) + "\n}\n";
}

std::string test::format(llvm::StringRef text, llvm::ArrayRef<int64_t> numbers) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '$')
      result += std::to_string(numbers[text[++i] - '0']);
    else
      result += text[i];
  return result;
}

LoweringTest::LoweringTest() {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::ssm::registerAllDialects(registry);
  context = std::make_unique<mlir::MLIRContext>(registry);
}

llvm::StringMap<Tensor> LoweringTest::makeWeights(mlir::ModuleOp module) {
  llvm::StringMap<Tensor> weights;
  for (auto global : module.getOps<mlir::ml_program::GlobalOp>()) {
    llvm::StringRef name = global.getSymName();
    auto type = mlir::cast<mlir::RankedTensorType>(global.getType());
    std::mt19937 random(llvm::hash_value(name) % 1000);
    std::uniform_real_distribution<float> uniform(-1, 1);
    auto number = [&]() -> float {
      if (name.starts_with("scales"))
        return 0.05f * (1.5f + uniform(random));
      return name.starts_with("decay") ? -1.5f + uniform(random) : uniform(random);
    };
    mlir::Type element = type.getElementType();
    Tensor &tensor = weights[name];
    if (element.isF32()) {
      tensor = Tensor::empty(DType::F32, type.getShape());
      for (float &value : tensor.mutableData<float>())
        value = number();
    } else if (element.isInteger(8)) {
      tensor = Tensor::empty(DType::I8, type.getShape());
      for (int8_t &value : tensor.mutableData<int8_t>())
        value = static_cast<int8_t>(random() % (name.starts_with("zero") ? 8 : 256));
    } else {
      bool isHalf = element.isF16();
      tensor = Tensor::empty(isHalf ? DType::F16 : DType::BF16, type.getShape());
      auto *words = static_cast<uint16_t *>(tensor.getMutableRawData());
      for (int64_t i = 0; i < tensor.getNumElements(); ++i)
        words[i] = isHalf ? floatToHalf(number()) : floatToBFloat(number());
    }
  }
  return weights;
}

mlir::OwningOpRef<mlir::ModuleOp> LoweringTest::lower(mlir::ModuleOp source,
                                                      const LoweringCase &test) {
  mlir::OwningOpRef<mlir::ModuleOp> module = source.clone();
  mlir::PassManager passes(context.get());
  mlir::ssm::LowerToCPUOptions options;
  options.vectorWidth = test.vectorWidth;
  options.dotProduct = test.dotProduct;
  options.threads = test.threads;
  options.decode = test.decode;
  options.minParallelWork = test.minParallelWork;
  options.gemmLibrary = test.gemmLibrary;
  mlir::ssm::buildLowerToCPUPipeline(passes, options);
  if (mlir::failed(passes.run(*module)))
    return nullptr;
  return module;
}

std::string LoweringTest::lowerFails(llvm::StringRef text) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(context.get(), [&](mlir::Diagnostic &diagnostic) {
    if (message.empty())
      message = diagnostic.str();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
  if (module)
    lower(*module, {});
  return message;
}

/// The values of the states in f32: codes times the scales that follow them.
static void appendStates(const ProgramState &state, const ProgramSignature &signature,
                         int64_t group, std::vector<float> &values) {
  for (size_t i = 0; i < state.values.size(); ++i) {
    Tensor value = state.values[i].toF32();
    llvm::ArrayRef<float> floats = value.data<float>();
    if (i + 1 == state.values.size() ||
        signature.states[i + 1].name != signature.states[i].name + ":scales") {
      llvm::append_range(values, floats);
      continue;
    }
    Tensor scales = state.values[++i].toF32();
    int64_t columns = value.getShape().back(), runs = scales.getDim(1);
    int64_t rowsOfScale = value.getNumElements() / columns / scales.getDim(0);
    for (auto [at, code] : llvm::enumerate(floats)) {
      int64_t row = at / columns / rowsOfScale, run = group ? at % columns / group : 0;
      values.push_back(code * scales.data<float>()[row * runs + run]);
    }
  }
}

/// Runs `tokens` in chunks; gives the logits of all followed by the states.
static std::vector<float> feed(const Program &program, const ProgramSignature &signature,
                               llvm::ArrayRef<int32_t> tokens, llvm::ArrayRef<size_t> chunks,
                               int64_t stateGroup = 0) {
  std::vector<float> values;
  auto state = program.createState(tokens.size() + 3);
  EXPECT_TRUE(bool(state));
  for (size_t chunk : chunks) {
    auto logits = program.forward(tokens.take_front(chunk), *state);
    if (!logits) {
      ADD_FAILURE() << llvm::toString(logits.takeError());
      return values;
    }
    llvm::append_range(values, logits->data<float>());
    tokens = tokens.drop_front(chunk);
  }
  appendStates(*state, signature, stateGroup, values);
  return values;
}

/// The same bytes, with memory behind the last one that cannot be read.
static Tensor guard(const Tensor &tensor) {
  size_t page = sysconf(_SC_PAGESIZE), bytes = tensor.getNumBytes();
  size_t whole = (bytes + page - 1) / page * page;
  void *memory =
      mmap(nullptr, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(static_cast<char *>(memory) + whole, page, PROT_NONE)) {
    ADD_FAILURE() << "no guarded memory";
    return tensor;
  }
  std::shared_ptr<void> owner(memory, [=](void *start) { munmap(start, whole + page); });
  char *data = static_cast<char *>(memory) + whole - bytes;
  std::memcpy(data, tensor.getRawData(), bytes);
  return Tensor::borrow(tensor.getDType(), tensor.getShape(), data, owner);
}

void LoweringTest::check(const LoweringCase &test) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(test.text, context.get());
  ASSERT_TRUE(module) << test.text;
  llvm::StringMap<Tensor> weights = makeWeights(*module);
  auto lookup = [&](llvm::StringRef name) -> llvm::Expected<Tensor> { return weights[name]; };

  mlir::OwningOpRef<mlir::ModuleOp> lowered = lower(*module, test);
  mlir::PassManager passes(context.get());
  passes.addPass(mlir::ssm::createStoreStates());
  ASSERT_TRUE(mlir::succeeded(passes.run(*module)));
  auto interpreter = InterpreterProgram::create(*module, lookup, {test.kernels, 1});
  ASSERT_TRUE(mlir::succeeded(interpreter)) << test.text;
  ProgramSignature signature = llvm::cantFail(readSignature(*module));
  ASSERT_TRUE(lowered) << test.text;
  CompileOptions options;
  options.optLevel = 1;
  auto guarded = [&](llvm::StringRef name) -> llvm::Expected<Tensor> {
    return guard(weights[name]);
  };
  auto compiled = CompiledProgram::compile(*lowered, signature, guarded, options);
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());

  std::vector<int32_t> tokens;
  int32_t vocabulary = std::min<int64_t>(signature.vocabSize, kTableRows);
  for (int32_t i = 0; i < test.numTokens; ++i)
    tokens.push_back((7 * i + 3) % vocabulary);
  size_t all = test.numTokens;
  for (const std::vector<size_t> &chunks :
       {std::vector<size_t>{all}, {1, 1, 1, all - 3}, {2, 5, 1, all - 9, 1}}) {
    std::vector<float> expected = feed(**interpreter, signature, tokens, chunks, test.stateGroup);
    std::vector<float> actual = feed(**compiled, signature, tokens, chunks, test.stateGroup);
    ASSERT_EQ(actual.size(), expected.size());
    size_t ties = 0;
    for (size_t i = 0; i < actual.size(); ++i) {
      float size = 1 + std::fabs(expected[i]), off = std::fabs(actual[i] - expected[i]);
      bool isTie = test.tieTolerance && off > test.tolerance * size;
      ties += isTie;
      ASSERT_NEAR(actual[i], expected[i], (isTie ? test.tieTolerance : test.tolerance) * size)
          << "value " << i << " of " << actual.size() << ", " << chunks.size() << " chunks\n"
          << test.text;
    }
    EXPECT_LE(ties, actual.size() / 50) << test.text;
  }
}

std::vector<float> LoweringTest::runCompiled(llvm::StringRef text, unsigned threads) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
  mlir::OwningOpRef<mlir::ModuleOp> lowered = module ? lower(*module, {}) : nullptr;
  if (!lowered) {
    ADD_FAILURE() << text.str();
    return {};
  }
  llvm::StringMap<Tensor> weights = makeWeights(*module);
  auto lookup = [&](llvm::StringRef name) -> llvm::Expected<Tensor> { return weights[name]; };
  ProgramSignature signature = llvm::cantFail(mlir::ssm::readCompiledSignature(*module));
  CompileOptions options;
  options.threads = threads;
  auto compiled = CompiledProgram::compile(*lowered, signature, lookup, options);
  if (!compiled) {
    ADD_FAILURE() << llvm::toString(compiled.takeError());
    return {};
  }
  return feed(**compiled, signature, {1, 2, 0, 3, 3, 1, 2, 0, 1}, {7, 1, 1});
}

void LoweringTest::checkThreads(llvm::StringRef text) {
  std::vector<float> first = runCompiled(text, 1);
  for (unsigned threads : {2, 3})
    EXPECT_EQ(runCompiled(text, threads), first) << threads << " threads";
}
