//===- SiteModels.cpp - Sites of ops of other dialects --------------------===//

#include "SiteModels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectRegistry.h"
#include "ssmq/Analysis/Sites.h"

using namespace mlir;
using namespace mlir::ssm;

void mlir::ssm::registerQuantizableModels(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, arith::ArithDialect *) { attachMarkedSites(context); });
  registry.addExtension(
      +[](MLIRContext *context, linalg::LinalgDialect *) { attachLinalgSites(context); });
  registry.addExtension(
      +[](MLIRContext *context, tensor::TensorDialect *) { attachTensorSites(context); });
}
