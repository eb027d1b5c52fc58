//===- Registration.cpp - Attaches the evaluation models ------------------===//

#include "Models.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectRegistry.h"
#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "ssmq/Interfaces/EvaluableOpInterface.h"
#include "ssmq/Reference/Interpreter.h"

using namespace mlir;
using namespace mlir::ssm;

void mlir::ssm::registerEvaluableModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, SSMDialect *) { attachSSMModels(context); });
  registry.addExtension(
      +[](MLIRContext *context, arith::ArithDialect *) { attachArithModels(context); });
  registry.addExtension(
      +[](MLIRContext *context, math::MathDialect *) { attachMathModels(context); });
  registry.addExtension(
      +[](MLIRContext *context, linalg::LinalgDialect *) { attachLinalgModels(context); });
  registry.addExtension(
      +[](MLIRContext *context, tensor::TensorDialect *) { attachTensorModels(context); });
  registry.addExtension(+[](MLIRContext *context, ml_program::MLProgramDialect *) {
    attachMLProgramModels(context);
  });
}
