//===- RewriteTest.cpp - Rewritten programs equal measured changes --------===//
//
// Every site in every format that fits it: the logits of the rewritten program are, bit for bit,
// those of the rerun that the sensitivity sweep measures.
//
//===----------------------------------------------------------------------===//

#include "TinyProgram.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "ssmq/Analysis/MixMeasurement.h"
#include "ssmq/Analysis/SitePerturbation.h"
#include "ssmq/Assign/Assignment.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Formats/Format.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/InitAll.h"
#include "ssmq/Support/HalfFloat.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>
#include <random>

using namespace ssmq;
using namespace ssmq::test;
using namespace mlir::ssm;

namespace {

/// What the tiny program lacks: norms, a Mamba-1 scan with its parameters, a marked site, weights
/// that are not in f32.
constexpr llvm::StringLiteral kMamba = R"mlir(
ml_program.global private @embed(#ml_program.extern : tensor<13x8xf16>) : tensor<13x8xf16>
ml_program.global private @norm(#ml_program.extern : tensor<8xf16>) : tensor<8xf16>
ml_program.global private @A_log(#ml_program.extern : tensor<8x4xf32>) : tensor<8x4xf32>
ml_program.global private @D(#ml_program.extern : tensor<8xf32>) : tensor<8xf32>
func.func @forward(%tokens: tensor<?xi32>, %state: tensor<8x4xf32> {ssm.state = "scan"})
    -> (tensor<?x13xf32>, tensor<8x4xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %embed = ml_program.global_load_const @embed : tensor<13x8xf16>
  %norm = ml_program.global_load_const @norm : tensor<8xf16>
  %a_log = ml_program.global_load_const @A_log : tensor<8x4xf32>
  %d = ml_program.global_load_const @D : tensor<8xf32>
  %exp = math.exp %a_log : tensor<8x4xf32>
  %a = arith.negf %exp : tensor<8x4xf32>
  %x = ssm.embedding %tokens, %embed {path = "embed"}
    : (tensor<?xi32>, tensor<13x8xf16>) -> tensor<?x8xf32>
  %y = ssm.rms_norm %x, %norm {eps = 1.0e-5 : f32, path = "norm"}
    : (tensor<?x8xf32>, tensor<8xf16>) -> tensor<?x8xf32>
  %dt_exp = math.exp %y : tensor<?x8xf32>
  %dt = math.log1p %dt_exp : tensor<?x8xf32>
  %b = tensor.extract_slice %y[0, 0] [%n, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
  %c = tensor.extract_slice %y[0, 4] [%n, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
  %s, %next = ssm.selective_scan %y dt %dt a %a b %b c %c d %d state %state {path = "scan"}
    : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<8xf32>, tensor<8x4xf32>) -> (tensor<?x8xf32>, tensor<8x4xf32>)
  %gated = arith.mulf %s, %y {ssm.sites = ["", "mixer:gate"]} : tensor<?x8xf32>
  %again = ml_program.global_load_const @embed : tensor<13x8xf16>
  %logits = ssm.linear %gated, %again {path = "head"}
    : (tensor<?x8xf32>, tensor<13x8xf16>) -> tensor<?x13xf32>
  return %logits, %next : tensor<?x13xf32>, tensor<8x4xf32>
}
)mlir";

Weights makeMambaWeights() {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Weights weights;
  auto add = [&](llvm::StringRef name, DType type, llvm::ArrayRef<int64_t> shape, float offset) {
    Tensor tensor = Tensor::empty(type, shape);
    for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
      float value = uniform(random) + offset;
      if (type == DType::F16)
        static_cast<uint16_t *>(tensor.getMutableRawData())[i] = floatToHalf(value);
      else
        tensor.mutableData<float>()[i] = value;
    }
    weights[name] = tensor;
  };
  add("embed", DType::F16, {13, 8}, 0);
  add("norm", DType::F16, {8}, 1.5f);
  add("A_log", DType::F32, {8, 4}, 0);
  add("D", DType::F32, {8}, 1.5f);
  return weights;
}

std::vector<std::string> getSpellings(SiteKind kind) {
  std::vector<std::string> spellings = {"f16",
                                        "bf16",
                                        "mxfp4",
                                        "nf4 group=4",
                                        "nf4 per_tensor",
                                        "i16 sym per_tensor",
                                        "i16 asym per_channel",
                                        "i2 sym per_tensor",
                                        "i5 asym group=3",
                                        "i3 asym per_channel",
                                        "i8 sym per_head",
                                        "f8E4M3 per_channel",
                                        "f8E5M2 group=6",
                                        "log2<5> per_channel",
                                        "logpolar<3,4> per_tensor",
                                        "i8 asym per_token",
                                        "f8E4M3 per_token",
                                        "i16 sym per_token",
                                        "i8 asym per_tensor static=99",
                                        "i8 sym per_channel static=99.9",
                                        "f8E5M2 per_head static=100",
                                        "i4 sym group=2 static=98"};
  for (llvm::StringRef spelling : getDefaultFormats(kind))
    spellings.push_back(spelling.str());
  return spellings;
}

const std::vector<int32_t> kTokens = {3, 1, 12, 0, 7, 7, 2, 9, 11, 5, 4, 3};

class RewriteTest : public ::testing::TestWithParam<bool> {
protected:
  void SetUp() override {
    static bool registered = (registerAllPasses(), true);
    (void)registered;
    std::filesystem::create_directories(folder);
    std::vector<NamedTensor> tensors;
    for (auto &entry : weights)
      tensors.push_back({entry.getKey().str(), entry.getValue()});
    ASSERT_FALSE(writeSafetensors(source, tensors));
    std::ofstream list(tokens);
    for (size_t i = 0; i < kTokens.size(); ++i)
      list << (i ? "," : "[") << kTokens[i];
    list << "]";
  }
  ~RewriteTest() override { std::filesystem::remove_all(folder); }

  mlir::OwningOpRef<mlir::ModuleOp> parse() {
    return GetParam() ? mlir::parseSourceString<mlir::ModuleOp>(kMamba, context.get())
                      : parseTinyProgram(*context);
  }

  std::vector<Sequence> getSequences() const { return cutText(kTokens, kTokens.size()); }
  Tensor getInputs() const { return getSequences().front().inputs; }

  /// The logits of the module after assignment and quantization.
  std::vector<float> rewrite(const std::vector<SiteFormat> &formats) {
    Assignment assignment;
    assignment.method = "test";
    assignment.sites = formats;
    EXPECT_FALSE(assignment.write(document));
    mlir::OwningOpRef<mlir::ModuleOp> module = parse();
    mlir::PassManager manager(context.get());
    std::string pipeline = "ssmq-assign{method=file input=" + document +
                           "},ssmq-quantize{output=" + packed + " checkpoint=" + source +
                           " tokens=" + tokens + "}";
    if (failed(mlir::parsePassPipeline(pipeline, manager)) || failed(manager.run(*module)))
      return {};
    llvm::StringRef path = source;
    if (auto named = (*module)->getAttrOfType<mlir::StringAttr>("ssm.checkpoint"))
      path = named.getValue();
    llvm::Expected<WeightStore> store = WeightStore::open(path);
    EXPECT_TRUE(bool(store));
    auto rewritten = InterpreterProgram::create(
        *module, [&](llvm::StringRef name) { return store->lookup(name); }, {});
    EXPECT_TRUE(succeeded(rewritten));
    llvm::Expected<ProgramState> state = (*rewritten)->createState(kTokens.size());
    llvm::Expected<Tensor> logits = (*rewritten)->forward(getInputs(), *state);
    if (!logits) {
      ADD_FAILURE() << llvm::toString(logits.takeError());
      return {};
    }
    return logits->data<float>().vec();
  }

  std::string folder = testing::TempDir() + "ssmq-rewrite-" + std::to_string(::getpid());
  std::string source = folder + "/source.safetensors", packed = folder + "/packed.safetensors";
  std::string tokens = folder + "/tokens.json", document = folder + "/assignment.json";
  std::unique_ptr<mlir::MLIRContext> context = createContext();
  Weights weights = GetParam() ? makeMambaWeights() : makeWeights();
};

TEST_P(RewriteTest, EverySiteInEveryFormat) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse();
  auto program = InterpreterProgram::create(*module, lookupIn(weights), {});
  ASSERT_TRUE(succeeded(program));
  const Interpreter &interpreter = (*program)->getInterpreter();
  Interpreter::Values trace;
  llvm::Expected<ProgramState> state = (*program)->createState(kTokens.size());
  ASSERT_TRUE(bool((*program)->forward(getInputs(), *state, &trace)));
  std::map<SiteKind, int> tested;
  for (const Site &site : findSites(*module))
    for (const std::string &spelling : getSpellings(site.kind)) {
      std::shared_ptr<const Format> format = llvm::cantFail(parseFormat(spelling));
      if (llvm::errorToBool(format->checkLayout(site.getLayout(1))) ||
          !llvm::cantFail(canHoldConstant(site, *format, interpreter)))
        continue;
      SCOPED_TRACE(site.name + " as " + spelling);
      StaticRanges ranges(*format);
      if (format->needsRanges())
        ASSERT_FALSE(observeSite(site, interpreter, trace, ranges));
      llvm::Expected<SitePerturbation> perturbed =
          perturbSite(site, *format, format->needsRanges() ? &ranges : nullptr, interpreter, trace);
      if (!perturbed) { // logarithms of activations
        llvm::consumeError(perturbed.takeError());
        continue;
      }
      auto measured = interpreter.rerun(trace, perturbed->perturbation);
      if (failed(measured) || llvm::errorToBool(perturbed->takeFault()))
        continue;
      std::vector<float> rewritten = rewrite({{site.name, format->getSpelling()}});
      ASSERT_EQ(rewritten, measured->front().data<float>().vec());
      ++tested[site.kind];
    }
  for (auto [kind, least] : {std::pair(SiteKind::Weight, 15),
                             {SiteKind::Parameter, 15},
                             {SiteKind::Activation, 30},
                             {SiteKind::State, 10}})
    EXPECT_GE(tested[kind], least) << getName(kind).str();
  EXPECT_GE(tested[GetParam() ? SiteKind::Norm : SiteKind::Cache], 12);
}

TEST_P(RewriteTest, ManySitesAtOnce) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse();
  auto program = InterpreterProgram::create(*module, lookupIn(weights), {});
  ASSERT_TRUE(succeeded(program));
  llvm::SmallVector<Site> sites = findSites(*module);
  std::vector<Mix> mixes(1);
  std::vector<SiteFormat> formats;
  for (auto [i, site] : llvm::enumerate(sites)) {
    const char *spelling = "bf16";
    switch (site.kind) {
    case SiteKind::Weight: spelling = i % 2 ? "i4 sym group=4" : "nf4 group=5"; break;
    case SiteKind::Norm: spelling = "f16"; break;
    case SiteKind::Parameter: spelling = "f8E4M3 per_tensor"; break;
    case SiteKind::Activation:
      spelling = i % 2 ? "i8 sym per_token" : "i8 asym per_tensor static=99";
      break;
    case SiteKind::Cache: spelling = "i8 asym per_token"; break;
    case SiteKind::State: spelling = "i8 sym per_channel"; break;
    }
    formats.push_back({site.name, spelling});
    mixes[0].push_back({&site, llvm::cantFail(parseFormat(spelling)), nullptr});
  }
  std::vector<Sequence> sequences = getSequences();
  MixMeasurement measurement(**program, sequences, 1);
  ASSERT_FALSE(measurement.addRanges(mixes));
  const Interpreter &interpreter = (*program)->getInterpreter();
  Interpreter::Values trace;
  llvm::Expected<ProgramState> state = (*program)->createState(kTokens.size());
  ASSERT_TRUE(bool((*program)->forward(getInputs(), *state, &trace)));
  llvm::Expected<SitePerturbation> perturbed = perturbSites(mixes[0], interpreter);
  ASSERT_TRUE(bool(perturbed));
  auto measured = interpreter.rerun(trace, perturbed->perturbation);
  ASSERT_TRUE(succeeded(measured));
  ASSERT_FALSE(perturbed->takeFault());
  EXPECT_EQ(rewrite(formats), measured->front().data<float>().vec());
}

INSTANTIATE_TEST_SUITE_P(Programs, RewriteTest, ::testing::Bool());

} // namespace
