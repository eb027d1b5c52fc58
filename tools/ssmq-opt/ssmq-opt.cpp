//===- ssmq-opt.cpp - mlir-opt with the ssm dialect and passes ------------===//

#include "ssmq/Dialect/SSM/IR/SSMDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<mlir::ssm::SSMDialect>();
  mlir::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "ssmq optimizer driver\n", registry));
}
