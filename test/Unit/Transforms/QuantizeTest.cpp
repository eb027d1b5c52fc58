//===- QuantizeTest.cpp - Quantized programs equal fake quantization ------===//

#include "TinyProgram.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "ssmq/Analysis/Sites.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/InitAll.h"
#include "gtest/gtest.h"
#include <filesystem>

using namespace ssmq;
using namespace ssmq::test;
using namespace mlir::ssm;

namespace {

class QuantizeTest : public ::testing::TestWithParam<const char *> {
protected:
  QuantizeTest() {
    std::filesystem::create_directories(folder);
    std::vector<NamedTensor> tensors;
    for (auto &entry : weights)
      tensors.push_back({entry.getKey().str(), entry.getValue()});
    EXPECT_FALSE(writeSafetensors(source, tensors));
  }
  ~QuantizeTest() override { std::filesystem::remove_all(folder); }

  /// Runs passes on the module; false when they fail.
  bool run(const std::string &pipeline) {
    static bool registered = (registerAllPasses(), true);
    (void)registered;
    mlir::PassManager manager(context.get());
    return succeeded(mlir::parsePassPipeline(pipeline, manager)) && succeeded(manager.run(*module));
  }

  std::vector<float> getLogits(const WeightLookup &lookup) {
    auto program = InterpreterProgram::create(*module, lookup, {});
    EXPECT_TRUE(succeeded(program));
    std::vector<int32_t> tokens = {3, 1, 12, 0, 7, 7, 2, 9, 11, 5, 4};
    llvm::Expected<ProgramState> state = (*program)->createState(tokens.size());
    llvm::Expected<Tensor> logits = (*program)->forward(tokens, *state);
    EXPECT_TRUE(bool(logits));
    return logits->data<float>().vec();
  }
  WeightLookup lookupStored() {
    auto store = openCheckpoint(*module);
    EXPECT_TRUE(succeeded(store));
    return [store = *store](llvm::StringRef name) { return store->lookup(name); };
  }

  std::string folder = testing::TempDir() + "ssmq-quantize-" + std::to_string(::getpid());
  std::string source = folder + "/source.safetensors", packed = folder + "/packed.safetensors";
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  mlir::OwningOpRef<mlir::ModuleOp> module = parseTinyProgram(*context);
  Weights weights = makeWeights();
};

TEST_P(QuantizeTest, EqualsFakeQuantization) {
  llvm::Expected<std::shared_ptr<const Format>> format = parseFormat(GetParam());
  ASSERT_TRUE(bool(format));
  Weights fake = weights;
  int64_t bytes = getWeightTotals(*module).numBytes;
  for (const Site &site : findSites(*module, ::ssmq::SiteKind::Weight)) {
    mlir::ml_program::GlobalOp global = site.global;
    llvm::Expected<Tensor> weight = fakeQuantize(**format, weights[global.getSymName()]);
    ASSERT_TRUE(bool(weight));
    fake[global.getSymName()] = *weight;
    bytes += (*format)->getNumBytes({SiteKind::Weight, site.rows, site.columns}) - site.numBytes;
  }
  std::vector<float> full = getLogits(lookupIn(weights)), expected = getLogits(lookupIn(fake));

  ASSERT_TRUE(run(std::string("ssmq-assign{method=uniform format=") + GetParam() +
                  "},ssmq-quantize{output=" + packed + " checkpoint=" + source + "}"));
  llvm::Expected<WeightStore> store = WeightStore::open(packed);
  ASSERT_TRUE(bool(store));
  EXPECT_EQ(store->getTotalBytes(), bytes);
  std::vector<float> quantized = getLogits(lookupStored());
  ASSERT_TRUE(run("ssmq-pack"));
  EXPECT_EQ(getLogits(lookupStored()), quantized);

  float change = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(quantized[i], expected[i], 1e-5);
    change = std::max(change, std::fabs(full[i] - expected[i]));
  }
  EXPECT_GT(change, 1e-4); // far more than what is allowed above
}

INSTANTIATE_TEST_SUITE_P(Formats, QuantizeTest,
                         ::testing::Values("int4:channel", "int4:g4", "int4:g3:asym",
                                           "int8:channel", "int8:g7:asym", "int3:g4",
                                           "int5:channel"));

TEST_F(QuantizeTest, NothingIsWrittenWhenAWeightIsBad) {
  weights["out"].mutableData<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  std::vector<NamedTensor> tensors;
  for (auto &entry : weights)
    tensors.push_back({entry.getKey().str(), entry.getValue()});
  ASSERT_FALSE(writeSafetensors(source, tensors));
  std::string message;
  mlir::ScopedDiagnosticHandler handler(context.get(),
                                        [&](mlir::Diagnostic &fault) { message += fault.str(); });
  EXPECT_FALSE(run("ssmq-assign{method=uniform format=int4:g4},ssmq-quantize{output=" + packed +
                   " checkpoint=" + source + "}"));
  EXPECT_NE(message.find("not finite"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(packed));
}

} // namespace
