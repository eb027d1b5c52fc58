//===- ssmq-opt.cpp - mlir-opt with the ssm dialect and passes ------------===//

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "ssmq/InitAll.h"
#include "ssmq/Support/Tool.h"
#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::ssm::registerAllDialects(registry);
  mlir::registerAllPasses();
  mlir::ssm::registerAllPasses();
  return ssmq::runTool("ssmq-opt", [&] {
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, "ssmq optimizer driver\n", registry));
  });
}
