//===- TinyProgram.cpp - A hybrid block with seeded weights ---------------===//

#include "TinyProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "ssmq/InitAll.h"
#include <random>

using namespace ssmq;

static constexpr llvm::StringLiteral kText = R"mlir(
ml_program.global private @embed(#ml_program.extern : tensor<13x10xf32>) : tensor<13x10xf32>
ml_program.global private @in_proj(#ml_program.extern : tensor<35x10xf32>) : tensor<35x10xf32>
ml_program.global private @conv(#ml_program.extern : tensor<22x1x4xf32>) : tensor<22x1x4xf32>
ml_program.global private @a(#ml_program.extern : tensor<3xf32>) : tensor<3xf32>
ml_program.global private @qkv(#ml_program.extern : tensor<16x10xf32>) : tensor<16x10xf32>
ml_program.global private @out(#ml_program.extern : tensor<10x12xf32>) : tensor<10x12xf32>
func.func @forward(%tokens: tensor<?xi32>, %position: tensor<i32> {ssm.state = "position"},
                   %conv_state: tensor<3x22xf32> {ssm.state = "conv"},
                   %scan_state: tensor<3x4x5xf32> {ssm.state = "scan"},
                   %keys: tensor<?x4xf32> {ssm.state = "keys"},
                   %values: tensor<?x4xf32> {ssm.state = "values"})
    -> (tensor<?x13xf32>, tensor<i32>, tensor<3x22xf32>, tensor<3x4x5xf32>, tensor<?x4xf32>,
        tensor<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %embed = ml_program.global_load_const @embed : tensor<13x10xf32>
  %in_proj = ml_program.global_load_const @in_proj : tensor<35x10xf32>
  %conv = ml_program.global_load_const @conv : tensor<22x1x4xf32>
  %a_log = ml_program.global_load_const @a : tensor<3xf32>
  %qkv = ml_program.global_load_const @qkv : tensor<16x10xf32>
  %out = ml_program.global_load_const @out : tensor<10x12xf32>
  %exp = math.exp %a_log : tensor<3xf32>
  %a = arith.negf %exp : tensor<3xf32>
  %x0 = ssm.embedding %tokens, %embed {path = "embed"}
    : (tensor<?xi32>, tensor<13x10xf32>) -> tensor<?x10xf32>
  %p = ssm.linear %x0, %in_proj {path = "in_proj"}
    : (tensor<?x10xf32>, tensor<35x10xf32>) -> tensor<?x35xf32>
  %xbc_in = tensor.extract_slice %p[0, 0] [%n, 22] [1, 1] : tensor<?x35xf32> to tensor<?x22xf32>
  %dt_in = tensor.extract_slice %p[0, 22] [%n, 3] [1, 1] : tensor<?x35xf32> to tensor<?x3xf32>
  %rest = tensor.extract_slice %p[0, 25] [%n, 10] [1, 1] : tensor<?x35xf32> to tensor<?x10xf32>
  %xbc, %next_conv = ssm.causal_conv1d %xbc_in, %conv state %conv_state {path = "conv"}
    : (tensor<?x22xf32>, tensor<22x1x4xf32>, tensor<3x22xf32>)
    -> (tensor<?x22xf32>, tensor<3x22xf32>)
  %dt_exp = math.exp %dt_in : tensor<?x3xf32>
  %dt = math.log1p %dt_exp : tensor<?x3xf32>
  %x = tensor.extract_slice %xbc[0, 0] [%n, 12] [1, 1] : tensor<?x22xf32> to tensor<?x12xf32>
  %b = tensor.extract_slice %xbc[0, 12] [%n, 5] [1, 1] : tensor<?x22xf32> to tensor<?x5xf32>
  %c = tensor.extract_slice %xbc[0, 17] [%n, 5] [1, 1] : tensor<?x22xf32> to tensor<?x5xf32>
  %y, %next_scan = ssm.ssd_scan %x dt %dt a %a b %b c %c state %scan_state
    : (tensor<?x12xf32>, tensor<?x3xf32>, tensor<3xf32>, tensor<?x5xf32>, tensor<?x5xf32>,
       tensor<3x4x5xf32>) -> (tensor<?x12xf32>, tensor<3x4x5xf32>)
  %o = ssm.linear %y, %out {path = "out"}
    : (tensor<?x12xf32>, tensor<10x12xf32>) -> tensor<?x10xf32>
  %x1 = arith.addf %o, %rest : tensor<?x10xf32>
  %h = ssm.linear %x1, %qkv {path = "qkv"}
    : (tensor<?x10xf32>, tensor<16x10xf32>) -> tensor<?x16xf32>
  %q0 = tensor.extract_slice %h[0, 0] [%n, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %k0 = tensor.extract_slice %h[0, 8] [%n, 4] [1, 1] : tensor<?x16xf32> to tensor<?x4xf32>
  %v = tensor.extract_slice %h[0, 12] [%n, 4] [1, 1] : tensor<?x16xf32> to tensor<?x4xf32>
  %q = ssm.rotary %q0 at %position {head_dim = 4 : i64, theta = 100.0 : f32, rotary_dim = 4 : i64}
    : (tensor<?x8xf32>, tensor<i32>) -> tensor<?x8xf32>
  %k = ssm.rotary %k0 at %position {head_dim = 4 : i64, theta = 100.0 : f32, rotary_dim = 4 : i64}
    : (tensor<?x4xf32>, tensor<i32>) -> tensor<?x4xf32>
  %att, %next_keys, %next_values = ssm.attention %q, %k, %v, caches %keys, %values at %position
      {head_dim = 4 : i64, scale = 0.5 : f32}
    : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<i32>) -> (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  %back = tensor.extract_slice %x1[0, 0] [%n, 8] [1, 1] : tensor<?x10xf32> to tensor<?x8xf32>
  %att_sum = arith.addf %att, %back : tensor<?x8xf32>
  %logits0 = ssm.linear %x1, %embed {path = "head"}
    : (tensor<?x10xf32>, tensor<13x10xf32>) -> tensor<?x13xf32>
  %part = tensor.extract_slice %qkv[0, 0] [13, 8] [1, 1] : tensor<16x10xf32> to tensor<13x8xf32>
  %logits1 = ssm.linear %att_sum, %part
    : (tensor<?x8xf32>, tensor<13x8xf32>) -> tensor<?x13xf32>
  %logits = arith.addf %logits0, %logits1 : tensor<?x13xf32>
  %n32 = arith.index_cast %n : index to i32
  %grown = tensor.splat %n32 : tensor<i32>
  %next = arith.addi %position, %grown : tensor<i32>
  return %logits, %next, %next_conv, %next_scan, %next_keys, %next_values
    : tensor<?x13xf32>, tensor<i32>, tensor<3x22xf32>, tensor<3x4x5xf32>, tensor<?x4xf32>,
      tensor<?x4xf32>
}
)mlir";

std::unique_ptr<mlir::MLIRContext> ssmq::test::createContext() {
  mlir::DialectRegistry registry;
  registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::linalg::LinalgDialect,
                  mlir::math::MathDialect, mlir::ml_program::MLProgramDialect,
                  mlir::tensor::TensorDialect>();
  mlir::ssm::registerAllDialects(registry);
  auto context = std::make_unique<mlir::MLIRContext>(registry);
  context->loadAllAvailableDialects();
  return context;
}

mlir::OwningOpRef<mlir::ModuleOp> ssmq::test::parseTinyProgram(mlir::MLIRContext &context) {
  return mlir::parseSourceString<mlir::ModuleOp>(kText, &context);
}

test::Weights ssmq::test::makeWeights() {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-0.4f, 0.4f);
  Weights weights;
  auto add = [&](llvm::StringRef name, llvm::ArrayRef<int64_t> shape) {
    Tensor tensor = Tensor::empty(DType::F32, shape);
    for (float &value : tensor.mutableData<float>())
      value = uniform(random);
    weights[name] = tensor;
  };
  add("embed", {13, 10});
  add("in_proj", {35, 10});
  add("conv", {22, 1, 4});
  add("a", {3});
  add("qkv", {16, 10});
  add("out", {10, 12});
  return weights;
}

mlir::ssm::WeightLookup ssmq::test::lookupIn(const Weights &weights) {
  return [&weights](llvm::StringRef name) -> llvm::Expected<Tensor> {
    auto it = weights.find(name);
    if (it == weights.end())
      return llvm::createStringError("there is no weight '" + name + "'");
    return it->second;
  };
}

std::unique_ptr<mlir::ssm::InterpreterProgram>
ssmq::test::makeProgram(mlir::ModuleOp module, const Weights &weights, KernelOptions kernels) {
  auto program = mlir::ssm::InterpreterProgram::create(module, lookupIn(weights), kernels);
  return mlir::succeeded(program) ? std::move(*program) : nullptr;
}
