//===- InterpreterTest.cpp - The interpreter and its reruns ---------------===//

#include "TinyProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Parser/Parser.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Formats/Packing.h"
#include "gtest/gtest.h"
#include <map>
#include <random>

using namespace ssmq;
using namespace ssmq::test;
using mlir::ssm::Interpreter;
using mlir::ssm::InterpreterProgram;

namespace {

const std::vector<int32_t> kTokens = {3, 1, 12, 0, 7, 7, 2, 9, 11, 5, 4, 8, 10, 6, 1, 3, 0};
Tensor makeInputs() {
  return Tensor::fromData<int32_t>({static_cast<int64_t>(kTokens.size())}, kTokens);
}

template <typename T>
T get(llvm::Expected<T> value) {
  if (!value) {
    ADD_FAILURE() << llvm::toString(value.takeError());
    return T();
  }
  return std::move(*value);
}

/// Feeds `tokens` in chunks of these sizes and returns all logits.
std::vector<float> feed(const Program &program, llvm::ArrayRef<int32_t> tokens,
                        llvm::function_ref<size_t()> chunk) {
  ProgramState state = get(program.createState(tokens.size()));
  std::vector<float> logits;
  while (!tokens.empty()) {
    size_t size = std::min(chunk(), tokens.size());
    Tensor part = get(program.forward(tokens.take_front(size), state));
    llvm::append_range(logits, part.data<float>());
    tokens = tokens.drop_front(size);
  }
  return logits;
}

void expectClose(llvm::ArrayRef<float> actual, llvm::ArrayRef<float> expected, float tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], tolerance * (1 + std::fabs(expected[i]))) << "at " << i;
}

class InterpreterTest : public ::testing::Test {
protected:
  std::string failsToRun(llvm::StringRef text) {
    std::string message;
    mlir::ScopedDiagnosticHandler handler(context.get(),
                                          [&](mlir::Diagnostic &fault) { message += fault.str(); });
    auto other = mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
    if (other && succeeded(InterpreterProgram::create(*other, lookupIn(weights), {})))
      message = "it runs";
    return message;
  }

  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module = parseTinyProgram(*context);
  Weights weights = makeWeights();
};

TEST_F(InterpreterTest, ChunksGiveTheSameLogits) {
  for (KernelSet set : {KernelSet::Reference, KernelSet::Fast}) {
    auto program = makeProgram(*module, weights, {set, 1});
    ASSERT_TRUE(program);
    std::vector<float> whole = feed(*program, kTokens, [] { return kTokens.size(); });
    ASSERT_EQ(whole.size(), kTokens.size() * 13);
    expectClose(feed(*program, kTokens, [] { return 1; }), whole, 1e-5f);
    std::mt19937 random(1);
    for (int i = 0; i < 4; ++i)
      expectClose(feed(*program, kTokens, [&] { return 1 + random() % 6; }), whole, 1e-5f);
  }
}

TEST_F(InterpreterTest, KernelSetsAgree) {
  auto whole = [] { return kTokens.size(); };
  auto reference = makeProgram(*module, weights, {KernelSet::Reference, 1});
  auto fast = makeProgram(*module, weights, {KernelSet::Fast, 2});
  expectClose(feed(*fast, kTokens, whole), feed(*reference, kTokens, whole), 1e-5f);
}

TEST_F(InterpreterTest, RerunEqualsAFreshInterpreter) {
  auto program = makeProgram(*module, weights);
  const Interpreter &interpreter = program->getInterpreter();
  ProgramState state = get(program->createState(kTokens.size()));
  llvm::SmallVector<Tensor> arguments{
      Tensor::fromData<int32_t>({static_cast<int64_t>(kTokens.size())}, kTokens)};
  llvm::append_range(arguments, state.values);
  Interpreter::Values trace;
  auto base = interpreter.run(arguments, &trace);
  ASSERT_TRUE(succeeded(base));

  auto format = get(parseFormat("i4 sym group=4"));
  module->walk([&](mlir::ml_program::GlobalLoadConstOp load) {
    llvm::StringRef name = load.getGlobal().getLeafReference().getValue();
    if (name == "a")
      return;
    Tensor changed = get(fakeQuantize(*format, weights[name]));
    mlir::ssm::Perturbation perturbation;
    for (mlir::OpOperand &use : load.getResult().getUses())
      perturbation.operands[&use] = changed;
    auto again = interpreter.rerun(trace, perturbation);
    ASSERT_TRUE(succeeded(again));

    Weights other = weights;
    other[name] = changed;
    auto fresh = makeProgram(*module, other);
    auto expected = fresh->getInterpreter().run(arguments);
    ASSERT_EQ(again->size(), expected->size());
    EXPECT_EQ(again->front().data<float>(), expected->front().data<float>()) << name.str();
    EXPECT_NE(again->front().data<float>(), base->front().data<float>());
  });
}

TEST_F(InterpreterTest, PreparedRerunsKeepTheChange) {
  auto program = makeProgram(*module, weights);
  auto prepared = makeProgram(*module, weights);
  prepared->prepareReruns(2);
  ProgramState state = get(program->createState(kTokens.size()));
  Interpreter::Values trace;
  Tensor base = get(program->forward(makeInputs(), state, &trace));
  auto format = get(parseFormat("i8 sym per_channel"));
  size_t count = 0;
  module->walk([&](mlir::ml_program::GlobalLoadConstOp load) {
    llvm::StringRef name = load.getGlobal().getLeafReference().getValue();
    if (name == "a")
      return;
    mlir::ssm::Perturbation perturbation;
    for (mlir::OpOperand &use : load.getResult().getUses())
      perturbation.operands[&use] = get(fakeQuantize(*format, weights[name]));
    auto exact = program->getInterpreter().rerun(trace, perturbation);
    auto near = prepared->getInterpreter().rerun(trace, perturbation);
    ASSERT_TRUE(succeeded(exact) && succeeded(near));
    double change = 0, error = 0;
    for (size_t i = 0; i < base.data<float>().size(); ++i) {
      double expected = exact->front().data<float>()[i];
      change += std::pow(expected - base.data<float>()[i], 2);
      error += std::pow(expected - near->front().data<float>()[i], 2);
    }
    EXPECT_GT(change, 0) << name.str();
    EXPECT_LT(error, 2e-3 * change) << name.str();
    ++count;
  });
  EXPECT_GE(count, 4u);
}

TEST_F(InterpreterTest, LocalErrors) {
  auto program = makeProgram(*module, weights);
  const Interpreter &interpreter = program->getInterpreter();
  ProgramState state = get(program->createState(kTokens.size()));
  Interpreter::Values trace;
  ASSERT_TRUE(static_cast<bool>(program->forward(makeInputs(), state, &trace)));
  module->walk([&](mlir::ssm::LinearOp op) {
    mlir::ssm::Perturbation perturbation;
    Tensor input = interpreter.getValue(trace, op.getInput()).clone();
    for (float &value : input.mutableData<float>())
      value *= 2;
    perturbation.operands[&op.getInputMutable()] = input;
    // A linear op without bias doubles its result, and nothing behind it counts.
    double expected = 0;
    for (float value : interpreter.getValue(trace, op.getResult()).data<float>())
      expected += static_cast<double>(value) * value;
    auto error = interpreter.measureLocalError(trace, perturbation);
    ASSERT_TRUE(succeeded(error));
    if (!op.getBias())
      EXPECT_NEAR(*error, expected, 1e-5 * expected);
  });
}

TEST_F(InterpreterTest, ErrorsAtCuts) {
  auto program = makeProgram(*module, weights);
  const Interpreter &interpreter = program->getInterpreter();
  ProgramState state = get(program->createState(kTokens.size()));
  Interpreter::Values trace;
  ASSERT_TRUE(static_cast<bool>(program->forward(makeInputs(), state, &trace)));
  mlir::Value residual;
  module->walk([&](mlir::arith::AddFOp op) { residual = residual ? residual : op.getResult(); });
  std::map<std::string, mlir::Value> cuts;
  auto format = get(parseFormat("i4 sym group=4"));
  module->walk([&](mlir::ml_program::GlobalLoadConstOp load) {
    std::string name = load.getGlobal().getLeafReference().getValue().str();
    llvm::SmallVector<mlir::OpOperand *> uses;
    for (mlir::OpOperand &use : load.getResult().getUses())
      uses.push_back(&use);
    mlir::Value cut = cuts[name] = interpreter.findCut(uses);
    if (!cut || name == "a")
      return;
    mlir::ssm::Perturbation perturbation;
    Weights other = weights;
    other[name] = get(fakeQuantize(*format, weights[name]));
    for (mlir::OpOperand *use : uses)
      perturbation.operands[use] = other[name];
    auto error = interpreter.measureErrorAt(cut, trace, perturbation);
    ASSERT_TRUE(succeeded(error));
    auto changed = makeProgram(*module, other);
    ProgramState fresh = get(changed->createState(kTokens.size()));
    Interpreter::Values values;
    ASSERT_TRUE(static_cast<bool>(changed->forward(makeInputs(), fresh, &values)));
    double expected = 0;
    for (auto [x, y] : llvm::zip_equal(interpreter.getValue(values, cut).data<float>(),
                                       interpreter.getValue(trace, cut).data<float>()))
      expected += (static_cast<double>(x) - y) * (static_cast<double>(x) - y);
    EXPECT_GT(expected, 0) << name;
    EXPECT_NEAR(*error, expected, 1e-6 * expected) << name;
  });
  // What is computed inside the block meets in the sum at its end.
  for (const char *name : {"conv", "out"})
    EXPECT_EQ(cuts.at(name), residual) << name;
  // Only the logits are behind both uses of the tied table.
  EXPECT_FALSE(cuts.at("embed"));
}

TEST_F(InterpreterTest, QuantizedWeightsEqualFakeQuantization) {
  auto format = get(parseFormat("i4 asym group=4"));
  QuantizedTensor quantized = get(format->quantize(weights["qkv"]));
  Weights packed = weights;
  packed["w"] = packCodes(quantized.codes, 4);
  packed["w.scales"] = quantized.scales;
  packed["w.zero_points"] = quantized.zeroPoints;
  static constexpr llvm::StringLiteral kText = R"mlir(
    ml_program.global private @w(#ml_program.extern : TYPE) : TYPE
    ml_program.global private @w.scales(#ml_program.extern : tensor<16x3xf16>) : tensor<16x3xf16>
    ml_program.global private @w.zero_points(#ml_program.extern : tensor<16x3xi8>) : tensor<16x3xi8>
    ml_program.global private @embed(#ml_program.extern : tensor<13x10xf32>) : tensor<13x10xf32>
    func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x16xf32> {
      %e = ml_program.global_load_const @embed : tensor<13x10xf32>
      %w = ml_program.global_load_const @w : TYPE
      %s = ml_program.global_load_const @w.scales : tensor<16x3xf16>
      %z = ml_program.global_load_const @w.zero_points : tensor<16x3xi8>
      %x = ssm.embedding %tokens, %e : (tensor<?xi32>, tensor<13x10xf32>) -> tensor<?x10xf32>
      %y = ssm.linear %x, %w scales %s zero_points %z {group_size = 4 : i64PACKED}
        : (tensor<?x10xf32>, TYPE, tensor<16x3xf16>, tensor<16x3xi8>) -> tensor<?x16xf32>
      return %y : tensor<?x16xf32>
    })mlir";
  Tensor weight = dequantize(quantized);
  for (bool isPacked : {false, true}) {
    std::string text = kText.str();
    auto replace = [&](llvm::StringRef from, llvm::StringRef to) {
      for (size_t at; (at = text.find(from.str())) != std::string::npos;)
        text.replace(at, from.size(), to.str());
    };
    replace("TYPE", isPacked ? "tensor<16x5xi8>" : "tensor<16x10x!quant.any<i4:f32>>");
    replace("PACKED", isPacked ? ", packed_bits = 4 : i64" : "");
    auto other = mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
    ASSERT_TRUE(other);
    auto program = makeProgram(*other, packed, {KernelSet::Reference, 1});
    ASSERT_TRUE(program);
    std::vector<float> logits = feed(*program, {3}, [] { return 1; });
    for (int64_t row = 0; row < 16; ++row) {
      double sum = 0;
      for (int64_t i = 0; i < 10; ++i)
        sum += double(weight.data<float>()[row * 10 + i]) * weights["embed"].data<float>()[30 + i];
      EXPECT_NEAR(logits[row], sum, 1e-6);
    }
  }
}

TEST_F(InterpreterTest, BadTokensLeaveTheState) {
  auto program = makeProgram(*module, weights);
  ProgramState state = get(program->createState(2));
  EXPECT_NE(llvm::toString(program->forward({1, 13}, state).takeError()).find("vocabulary"),
            std::string::npos);
  EXPECT_NE(llvm::toString(program->forward({1, 2, 3}, state).takeError()).find("capacity"),
            std::string::npos);
  EXPECT_EQ(state.length, 0);
}

TEST_F(InterpreterTest, WhatItCannotRun) {
  EXPECT_NE(failsToRun("module {}").find("no function @forward"), std::string::npos);
  EXPECT_NE(failsToRun(R"mlir(
    ml_program.global private @nowhere(#ml_program.extern : tensor<2x2xf32>) : tensor<2x2xf32>
    func.func @forward(%t: tensor<?xi32>) -> tensor<?x2xf32> {
      %w = ml_program.global_load_const @nowhere : tensor<2x2xf32>
      %x = ssm.embedding %t, %w : (tensor<?xi32>, tensor<2x2xf32>) -> tensor<?x2xf32>
      return %x : tensor<?x2xf32>
    })mlir")
                .find("there is no weight 'nowhere'"),
            std::string::npos);
  EXPECT_NE(failsToRun(R"mlir(
    ml_program.global private @embed(#ml_program.extern : tensor<13x9xf32>) : tensor<13x9xf32>
    func.func @forward(%t: tensor<?xi32>) -> tensor<?x9xf32> {
      %w = ml_program.global_load_const @embed : tensor<13x9xf32>
      %x = ssm.embedding %t, %w : (tensor<?xi32>, tensor<13x9xf32>) -> tensor<?x9xf32>
      return %x : tensor<?x9xf32>
    })mlir")
                .find("but the program expects"),
            std::string::npos);
  EXPECT_NE(failsToRun(R"mlir(
    func.func @forward(%t: tensor<?xi32>) -> tensor<?x9xf32> {
      %x = "tensor.bitcast"(%t) : (tensor<?xi32>) -> tensor<?xf32>
      %c = arith.constant dense<0.0> : tensor<2x9xf32>
      %y = tensor.cast %c : tensor<2x9xf32> to tensor<?x9xf32>
      return %y : tensor<?x9xf32>
    })mlir")
                .find("no EvaluableOpInterface"),
            std::string::npos);
}

} // namespace
