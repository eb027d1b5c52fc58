//===- StructuredModelsTest.cpp - Evaluation of structured linalg ops -----===//

#include "TinyProgram.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace ssmq;
using mlir::ssm::Interpreter;

namespace {

struct Outcome {
  llvm::SmallVector<Tensor> results;
  std::string message;
};

/// Runs the first function of `text`; no results when it fails.
Outcome run(llvm::StringRef text, llvm::ArrayRef<Tensor> inputs = {}) {
  auto context = test::createContext();
  Outcome outcome;
  mlir::ScopedDiagnosticHandler handler(
      context.get(), [&](mlir::Diagnostic &fault) { outcome.message += fault.str(); });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
  if (!module)
    return outcome;
  auto function = *module->getOps<mlir::FunctionOpInterface>().begin();
  auto interpreter = Interpreter::create(function, nullptr, {});
  if (failed(interpreter))
    return outcome;
  auto results = (*interpreter)->run(inputs);
  if (succeeded(results))
    for (const Tensor &result : *results) // constants borrow from the module
      outcome.results.push_back(result.clone());
  return outcome;
}

Tensor tensor(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
  return Tensor::fromData<float>(shape, values);
}

template <typename T>
std::vector<T> values(const Outcome &outcome, unsigned i = 0) {
  if (outcome.results.size() <= i) {
    ADD_FAILURE() << outcome.message;
    return {};
  }
  return outcome.results[i].data<T>().vec();
}

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

TEST(StructuredModelsTest, MatmulInAllLayouts) {
  // [1 2; 3 4; 5 6] x [1 0 2; 0 1 3] on top of tens.
  Tensor a = tensor({3, 2}, {1, 2, 3, 4, 5, 6}), b = tensor({2, 3}, {1, 0, 2, 0, 1, 3});
  Tensor at = tensor({2, 3}, {1, 3, 5, 2, 4, 6}), bt = tensor({3, 2}, {1, 0, 0, 1, 2, 3});
  Floats expected = {11, 12, 18, 13, 14, 28, 15, 16, 38};
  Tensor tens = tensor({3, 3}, Floats(9, 10));
  EXPECT_EQ(values<float>(run(R"mlir(
    func.func @f(%a: tensor<3x2xf32>, %b: tensor<2x?xf32>, %c: tensor<3x?xf32>) -> tensor<3x?xf32> {
      %0 = linalg.matmul ins(%a, %b : tensor<3x2xf32>, tensor<2x?xf32>)
                         outs(%c : tensor<3x?xf32>) -> tensor<3x?xf32>
      return %0 : tensor<3x?xf32>
    })mlir",
                              {a, b, tens})),
            expected);
  EXPECT_EQ(values<float>(run(R"mlir(
    func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x2xf32>, %c: tensor<3x3xf32>) -> tensor<3x3xf32> {
      %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>,
                                          affine_map<(m, n, k) -> (n, k)>,
                                          affine_map<(m, n, k) -> (m, n)>]
        ins(%a, %b : tensor<2x3xf32>, tensor<3x2xf32>) outs(%c : tensor<3x3xf32>) -> tensor<3x3xf32>
      return %0 : tensor<3x3xf32>
    })mlir",
                              {at, bt, tens})),
            expected);
  EXPECT_EQ(values<float>(run(R"mlir(
    func.func @f(%a: tensor<3x2xf32>, %b: tensor<2xf32>, %c: tensor<3xf32>) -> tensor<3xf32> {
      %0 = linalg.matvec ins(%a, %b : tensor<3x2xf32>, tensor<2xf32>)
                         outs(%c : tensor<3xf32>) -> tensor<3xf32>
      return %0 : tensor<3xf32>
    })mlir",
                              {a, tensor({2}, {2, 3}), tensor({3}, {10, 10, 10})})),
            (Floats{expected[2], expected[5], expected[8]}));
}

TEST(StructuredModelsTest, BatchesAndReductions) {
  Outcome outcome = run(R"mlir(
    func.func @f(%a: tensor<2x1x2xf32>, %b: tensor<2x2x1xf32>)
        -> (tensor<2x1x1xf32>, tensor<2xf32>, tensor<2x1x2xf32>) {
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<2x1x1xf32>
      %c = linalg.fill ins(%zero : f32) outs(%e : tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
      %0 = linalg.batch_matmul ins(%a, %b : tensor<2x1x2xf32>, tensor<2x2x1xf32>)
                               outs(%c : tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
      %low = arith.constant dense<-9.0> : tensor<2xf32>
      %1 = linalg.reduce { arith.maximumf } ins(%a : tensor<2x1x2xf32>) outs(%low : tensor<2xf32>)
        dimensions = [1, 2]
      %t = tensor.empty() : tensor<2x1x2xf32>
      %2 = linalg.transpose ins(%b : tensor<2x2x1xf32>) outs(%t : tensor<2x1x2xf32>)
        permutation = [0, 2, 1]
      %3 = linalg.exp ins(%2 : tensor<2x1x2xf32>) outs(%t : tensor<2x1x2xf32>) -> tensor<2x1x2xf32>
      return %0, %1, %3 : tensor<2x1x1xf32>, tensor<2xf32>, tensor<2x1x2xf32>
    })mlir",
                        {tensor({2, 1, 2}, {1, 2, 4, 3}), tensor({2, 2, 1}, {0, 10, 100, 0})});
  EXPECT_EQ(values<float>(outcome, 0), (Floats{20, 400}));
  EXPECT_EQ(values<float>(outcome, 1), (Floats{2, 4}));
  EXPECT_EQ(values<float>(outcome, 2), (Floats{1, std::exp(10.f), std::exp(100.f), 1}));
}

constexpr llvm::StringLiteral kLookup = R"mlir(
    #id = affine_map<(d0) -> (d0)>
    func.func @f(%ids: tensor<3xi32>, %table: tensor<4xf32>) -> (tensor<3xf32>, tensor<3xi64>) {
      %one = arith.constant 1 : index
      %half = arith.constant 0.3 : f32
      %f = tensor.empty() : tensor<3xf32>
      %i = tensor.empty() : tensor<3xi64>
      %0:2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%ids : tensor<3xi32>) outs(%f, %i : tensor<3xf32>, tensor<3xi64>) {
      ^bb0(%id: i32, %x: f32, %y: i64):
        %at = arith.index_cast %id : i32 to index
        %value = tensor.extract %table[%at] : tensor<4xf32>
        %here = linalg.index 0 : index
        %next = arith.addi %here, %one : index
        %wide = arith.index_cast %next : index to i64
        %number = arith.sitofp %wide : i64 to f32
        %big = arith.cmpf ogt, %value, %number : f32
        %narrow = arith.truncf %half : f32 to bf16
        %back = arith.extf %narrow : bf16 to f32
        %chosen = arith.select %big, %value, %back : f32
        linalg.yield %chosen, %wide : f32, i64
      } -> (tensor<3xf32>, tensor<3xi64>)
      return %0#0, %0#1 : tensor<3xf32>, tensor<3xi64>
    })mlir";

TEST(StructuredModelsTest, ScalarBodies) {
  Tensor table = tensor({4}, {5, 6, 7, 1});
  Outcome outcome = run(kLookup, {Tensor::fromData<int32_t>({3}, {2, 3, 0}), table});
  float narrow = 0x1.34p-2f; // 0.3 in bf16
  EXPECT_EQ(values<float>(outcome), (Floats{7, narrow, 5}));
  EXPECT_EQ(values<int64_t>(outcome, 1), (Ints{1, 2, 3}));

  outcome = run(kLookup, {Tensor::fromData<int32_t>({3}, {2, -1, 0}), table});
  EXPECT_TRUE(outcome.results.empty());
  EXPECT_EQ(outcome.message, "'tensor.extract' op reads index -1 of dimension 0 of size 4");
}

TEST(StructuredModelsTest, FloatComparisons) {
  // Each predicate on less, equal, greater and unordered numbers, as the bits of 1, 2, 4 and 8.
  std::pair<const char *, int> cases[] = {{"false", 0}, {"oeq", 2},  {"ogt", 4},  {"oge", 6},
                                          {"olt", 1},   {"ole", 3},  {"one", 5},  {"ord", 7},
                                          {"ueq", 10},  {"ugt", 12}, {"uge", 14}, {"ult", 9},
                                          {"ule", 11},  {"une", 13}, {"uno", 8},  {"true", 15}};
  Tensor b = tensor({4}, {2, 2, 2, 2}), a = tensor({4}, {1, 2, 3, std::nanf("")});
  for (auto [predicate, expected] : cases) {
    std::string text = R"mlir(
      #id = affine_map<(d0) -> (d0)>
      func.func @f(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xi1> {
        %e = tensor.empty() : tensor<4xi1>
        %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
          ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xi1>) {
        ^bb0(%x: f32, %y: f32, %z: i1):
          %c = arith.cmpf )mlir" +
                       std::string(predicate) + R"mlir(, %x, %y : f32
          linalg.yield %c : i1
        } -> tensor<4xi1>
        return %0 : tensor<4xi1>
      })mlir";
    int bits = 0;
    for (auto [i, value] : llvm::enumerate(values<uint8_t>(run(text, {a, b}))))
      bits |= value << i;
    EXPECT_EQ(bits, expected) << predicate;
  }
}

TEST(StructuredModelsTest, Constants) {
  Outcome outcome = run(R"mlir(
    func.func @f() -> (tensor<2xf16>, tensor<2xbf16>, tensor<2xi64>, tensor<3xi1>, tensor<0xf32>,
                       tensor<2x2xf32>, tensor<1xi8>) {
      %0 = arith.constant dense<[0.5, -2.0]> : tensor<2xf16>
      %1 = arith.constant dense_resource<narrow> : tensor<2xbf16>
      %2 = arith.constant dense<[-1, 70000000000]> : tensor<2xi64>
      %3 = arith.constant dense<[true, false, true]> : tensor<3xi1>
      %4 = arith.constant dense<> : tensor<0xf32>
      %5 = arith.constant dense<1.5> : tensor<2x2xf32>
      %6 = arith.constant dense<-3> : tensor<1xi8>
      return %0, %1, %2, %3, %4, %5, %6 : tensor<2xf16>, tensor<2xbf16>, tensor<2xi64>,
        tensor<3xi1>, tensor<0xf32>, tensor<2x2xf32>, tensor<1xi8>
    }
    {-# dialect_resources: { builtin: { narrow: "0x02000000803F0040" } } #-})mlir");
  EXPECT_EQ(values<float>(outcome, 0), (Floats{0.5, -2}));
  EXPECT_EQ(values<float>(outcome, 1), (Floats{1, 2}));
  EXPECT_EQ(values<int64_t>(outcome, 2), (Ints{-1, 70000000000}));
  EXPECT_EQ(values<uint8_t>(outcome, 3), (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(values<float>(outcome, 4), Floats{});
  EXPECT_EQ(values<float>(outcome, 5), Floats(4, 1.5));
  EXPECT_EQ(values<int8_t>(outcome, 6), std::vector<int8_t>{-3});
}

TEST(StructuredModelsTest, Faults) {
  auto fault = [](llvm::StringRef maps, llvm::StringRef body, llvm::ArrayRef<Tensor> inputs) {
    std::string text = ("func.func @f(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {\n"
                        "  %0 = linalg.generic {indexing_maps = [" +
                        maps +
                        "], iterator_types = [\"parallel\"]}\n"
                        "    ins(%a : tensor<?xf32>) outs(%b : tensor<?xf32>) {\n"
                        "  ^bb0(%x: f32, %y: f32):\n" +
                        body +
                        "\n"
                        "    linalg.yield %z : f32\n  } -> tensor<?xf32>\n"
                        "  return %0 : tensor<?xf32>\n}")
                           .str();
    Outcome outcome = run(text, inputs);
    EXPECT_TRUE(outcome.results.empty());
    return outcome.message;
  };
  Tensor two = tensor({2}, {1, 2}), three = tensor({3}, {1, 2, 3});
  const char *id = "affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>";
  const char *negate = "%z = arith.negf %x : f32";
  EXPECT_EQ(fault(id, negate, {two, three}),
            "'linalg.generic' op has operands of sizes 2 and 3 along one loop");
  EXPECT_EQ(
      fault("affine_map<(d0) -> (d0 floordiv 2)>, affine_map<(d0) -> (d0)>", negate, {two, three}),
      "'linalg.generic' op is evaluated with linear indexing maps of small numbers only");
  EXPECT_EQ(fault("affine_map<(d0) -> (d0 + 1)>, affine_map<(d0) -> (d0)>", negate, {three, three}),
            "'linalg.generic' op reads elements 1 to 3 of dimension 0 of operand 0, which has 3");
  EXPECT_EQ(fault(id, "%z = math.atan %x : f32", {two, two}),
            "'math.atan' op in the body of a structured op cannot be evaluated");
  EXPECT_EQ(
      fault(id, "%w = arith.extf %x : f32 to f64\n %z = arith.truncf %w : f64 to f32", {two, two}),
      "'arith.extf' op gives 'f64', which is not evaluated");
  auto constant = [](llvm::StringRef resources) {
    return run(("func.func @f() -> tensor<2xf32> {\n"
                "  %0 = arith.constant dense_resource<w> : tensor<2xf32>\n"
                "  return %0 : tensor<2xf32>\n}" +
                resources)
                   .str())
        .message;
  };
  EXPECT_NE(constant("").find("has no data"), std::string::npos);
  EXPECT_NE(constant("{-# dialect_resources: { builtin: { w: \"0x040000000000803F\" } } #-}")
                .find("of 4 bytes, which is not what its type needs"),
            std::string::npos);
}

TEST(StructuredModelsTest, RerunWithAnotherTable) {
  auto context = test::createContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(kLookup, context.get());
  ASSERT_TRUE(module);
  auto function = *module->getOps<mlir::FunctionOpInterface>().begin();
  auto interpreter = Interpreter::create(function, nullptr, {});
  ASSERT_TRUE(succeeded(interpreter));
  Interpreter::Values trace;
  ASSERT_TRUE(succeeded(
      (*interpreter)
          ->run({Tensor::fromData<int32_t>({3}, {2, 3, 0}), tensor({4}, {5, 6, 7, 9})}, &trace)));
  mlir::ssm::Perturbation perturbation;
  mlir::Value table = function.getArgument(1);
  perturbation.operands[&*table.use_begin()] = tensor({4}, {50, 60, 70, 90});
  auto results = (*interpreter)->rerun(trace, perturbation);
  ASSERT_TRUE(succeeded(results));
  EXPECT_EQ(results->front().data<float>().vec(), (Floats{70, 90, 50}));
}

} // namespace
