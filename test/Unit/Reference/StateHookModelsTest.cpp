//===- StateHookModelsTest.cpp - Ops hand the state hook on ---------------===//

#include "TinyProgram.h"

#include "mlir/Parser/Parser.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Interfaces/StatefulOpInterface.h"
#include "gtest/gtest.h"

using namespace ssmq;
using mlir::ssm::EvaluationContext;

TEST(StateHookModelsTest, CalledForEachToken) {
  auto context = test::createContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"mlir(
    func.func @f(%x: tensor<3x4xf32>, %w: tensor<4x1x2xf32>, %rows: tensor<1x4xf32>,
                 %a: tensor<4x2xf32>, %b: tensor<3x2xf32>, %s: tensor<4x2xf32>,
                 %h: tensor<4xf32>, %t: tensor<4x1x2xf32>) {
      %0:2 = ssm.causal_conv1d %x, %w state %rows
        : (tensor<3x4xf32>, tensor<4x1x2xf32>, tensor<1x4xf32>)
        -> (tensor<3x4xf32>, tensor<1x4xf32>)
      %1:2 = ssm.selective_scan %x dt %x a %a b %b c %b state %s
        : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<4x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>,
           tensor<4x2xf32>) -> (tensor<3x4xf32>, tensor<4x2xf32>)
      %2:2 = ssm.ssd_scan %x dt %x a %h b %b c %b state %t
        : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<4xf32>, tensor<3x2xf32>, tensor<3x2xf32>,
           tensor<4x1x2xf32>) -> (tensor<3x4xf32>, tensor<4x1x2xf32>)
      return
    })mlir",
                                                        context.get());
  ASSERT_TRUE(module);
  unsigned ops = 0;
  module->walk([&](mlir::ssm::StatefulOpInterface op) {
    llvm::SmallVector<Tensor> operands;
    for (mlir::Type type : op->getOperandTypes())
      operands.push_back(
          Tensor::zeros(DType::F32, mlir::cast<mlir::RankedTensorType>(type).getShape()));
    unsigned calls = 0;
    EvaluationContext evaluation;
    auto hook = [&](llvm::MutableArrayRef<float> state) { state.front() = ++calls; };
    evaluation.stateHook = hook;
    auto results = mlir::cast<mlir::ssm::EvaluableOpInterface>(*op).evaluate(operands, evaluation);
    ASSERT_TRUE(succeeded(results));
    EXPECT_EQ(calls, 3u);
    EXPECT_EQ(results->back().data<float>().front(), 3.0f);
    ++ops;
  });
  EXPECT_EQ(ops, 3u);
}
