//===- ExportQuantTest.cpp - Exported types hold the program's weights ----===//

#include "TinyProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "ssmq/Dialect/SSM/Utils/Checkpoint.h"
#include "ssmq/Import/WeightStore.h"
#include "ssmq/InitAll.h"
#include "gtest/gtest.h"
#include <filesystem>

using namespace ssmq;
using namespace ssmq::test;
using namespace mlir;
using namespace mlir::ssm;

namespace {

struct Scale {
  float scale;
  int64_t zeroPoint;
};

/// What upstream says of element `index` of a tensor of a quantized type.
Scale getScale(Type element, ArrayRef<int64_t> shape, int64_t index) {
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element))
    return {static_cast<float>(uniform.getScale()), uniform.getZeroPoint()};
  int64_t columns = 1;
  for (int64_t dim : shape.drop_front())
    columns *= dim;
  if (auto axis = dyn_cast<quant::UniformQuantizedPerAxisType>(element)) {
    EXPECT_EQ(axis.getQuantizedDimension(), 0);
    return {static_cast<float>(axis.getScales()[index / columns]),
            axis.getZeroPoints()[index / columns]};
  }
  auto channel = cast<quant::UniformQuantizedSubChannelType>(element);
  int64_t size = channel.getBlockSizes().back();
  int64_t at = index / columns * (columns / size) + index % columns / size;
  return {channel.getScales().getValues<float>()[at],
          channel.getZeroPoints().getValues<APInt>()[at].getSExtValue()};
}

TEST(ExportQuantTest, TypesHoldTheWeights) {
  registerAllPasses();
  for (const char *format : {"int4:g5", "int4:g2:asym", "int8:channel:asym", "int3:channel",
                             "int8:tensor", "int16:channel:asym", "int16:g2", "nf4:g4"}) {
    SCOPED_TRACE(format);
    std::unique_ptr<MLIRContext> context = createContext();
    OwningOpRef<ModuleOp> module = parseTinyProgram(*context);
    std::string folder = testing::TempDir() + "ssmq-export-" + std::to_string(::getpid());
    std::filesystem::create_directories(folder);
    std::vector<NamedTensor> tensors;
    Weights weights = makeWeights();
    weights["out"] = Tensor::zeros(DType::F32, {10, 12}); // scales of 0
    for (auto &entry : weights)
      tensors.push_back({entry.getKey().str(), entry.getValue()});
    ASSERT_FALSE(writeSafetensors(folder + "/source.safetensors", tensors));
    auto run = [&](const std::string &pipeline) {
      PassManager manager(context.get());
      return succeeded(parsePassPipeline(pipeline, manager)) && succeeded(manager.run(*module));
    };
    auto getLogits = [&] {
      auto store = openCheckpoint(*module);
      auto program = InterpreterProgram::create(
          *module, [store = *store](StringRef name) { return store->lookup(name); }, {});
      EXPECT_TRUE(succeeded(program));
      llvm::Expected<ProgramState> state = (*program)->createState(8);
      llvm::Expected<Tensor> logits = (*program)->forward({3, 1, 12, 0, 7, 7, 2, 9}, *state);
      return logits->data<float>().vec();
    };
    ASSERT_TRUE(run(std::string("ssmq-assign{method=uniform format=") + format +
                    "},ssmq-quantize{checkpoint=" + folder +
                    "/source.safetensors output=" + folder + "/packed.safetensors}"));
    std::vector<float> before = getLogits();
    ScopedDiagnosticHandler quiet(context.get(), [](Diagnostic &) { return success(); });
    ASSERT_TRUE(run("ssmq-export-quant"));
    // Puts what upstream says in the place of the casts.
    int casts = 0;
    SmallVector<quant::DequantizeCastOp> all;
    module->walk([&](quant::DequantizeCastOp cast) { all.push_back(cast); });
    for (quant::DequantizeCastOp cast : all) {
      auto stored = cast.getInput().getDefiningOp<quant::StorageCastOp>();
      DenseElementsAttr codes;
      ASSERT_TRUE(matchPattern(stored.getInput(), m_Constant(&codes)));
      auto type = llvm::cast<RankedTensorType>(cast.getInput().getType());
      std::vector<float> values;
      for (auto [i, code] : llvm::enumerate(codes.getValues<APInt>())) {
        Scale scale = getScale(type.getElementType(), type.getShape(), i);
        values.push_back(static_cast<float>(code.getSExtValue() - scale.zeroPoint) * scale.scale);
      }
      OpBuilder builder(cast);
      auto result = llvm::cast<RankedTensorType>(cast.getType());
      Value constant = arith::ConstantOp::create(
          builder, cast.getLoc(), DenseElementsAttr::get(result, ArrayRef<float>(values)));
      cast.replaceAllUsesWith(constant);
      cast.erase();
      ++casts;
    }
    module->walk([](quant::StorageCastOp cast) { cast.erase(); });
    SmallVector<Operation *> unused;
    module->walk([&](arith::ConstantOp op) {
      if (op->use_empty())
        unused.push_back(op);
    });
    for (Operation *op : unused)
      op->erase();
    EXPECT_EQ(casts > 0, StringRef(format) != "nf4:g4");
    EXPECT_EQ(getLogits(), before);
    std::filesystem::remove_all(folder);
  }
}

} // namespace
