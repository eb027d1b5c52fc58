//===- LinalgModelsTest.cpp - Evaluation of linalg ------------------------===//

#include "TinyProgram.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace ssmq;
using mlir::ssm::Interpreter;

namespace {

/// Runs the first function of `text` on `input`; nothing when it fails.
std::optional<Tensor> run(llvm::StringRef text, const Tensor &input) {
  auto context = test::createContext();
  mlir::ScopedDiagnosticHandler handler(context.get(), [](mlir::Diagnostic &) {});
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
  if (!module)
    return std::nullopt;
  auto function = *module->getOps<mlir::FunctionOpInterface>().begin();
  auto interpreter = Interpreter::create(function, nullptr, {});
  if (failed(interpreter))
    return std::nullopt;
  auto results = (*interpreter)->run({input});
  if (failed(results))
    return std::nullopt;
  return results->front();
}

TEST(LinalgModelsTest, BroadcastInTheMiddle) {
  auto result = run(R"mlir(
    func.func @f(%x: tensor<2x3xf32>) -> tensor<2x2x3xf32> {
      %e = tensor.empty() : tensor<2x2x3xf32>
      %y = linalg.broadcast ins(%x : tensor<2x3xf32>) outs(%e : tensor<2x2x3xf32>) dimensions = [1]
      return %y : tensor<2x2x3xf32>
    })mlir",
                    Tensor::fromData<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->data<float>(), llvm::ArrayRef<float>({1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
}

constexpr llvm::StringLiteral kRows = R"mlir(
    func.func @f(%x: tensor<?xf32>) -> tensor<?x2xf32> {
      %n = arith.constant 3 : index
      %row = tensor.cast %x : tensor<?xf32> to tensor<2xf32>
      %e = tensor.empty(%n) : tensor<?x2xf32>
      %y = linalg.broadcast ins(%row : tensor<2xf32>) outs(%e : tensor<?x2xf32>) dimensions = [0]
      return %y : tensor<?x2xf32>
    })mlir";

TEST(LinalgModelsTest, BroadcastRows) {
  auto result = run(kRows, Tensor::fromData<float>({2}, {7, 8}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->data<float>(), llvm::ArrayRef<float>({7, 8, 7, 8, 7, 8}));
}

TEST(LinalgModelsTest, BroadcastOfAnotherSize) {
  EXPECT_FALSE(run(kRows, Tensor::fromData<float>({3}, {7, 8, 9})));
}

} // namespace
