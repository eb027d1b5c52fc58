//===- NameMatrixFunctions.cpp - Names that drivers know ------------------===//

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "ssmq/Conversion/SSMToXe/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_NAMEMATRIXFUNCTIONS
#include "ssmq/Conversion/SSMToXe/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

struct NameMatrixFunctions : public ssm::impl::NameMatrixFunctionsBase<NameMatrixFunctions> {
  void runOnOperation() override {
    constexpr StringLiteral kUpstream = "intel_sub_group_s8_s8_matrix_mad_";
    constexpr StringLiteral kDocumented = "intel_sub_group_i8_i8_matrix_mad_";
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      auto [before, after] = function.getName().split(kUpstream);
      if (before == function.getName())
        continue;
      std::string name = (before + kDocumented + after).str();
      if (failed(SymbolTable::replaceAllSymbolUses(function, StringAttr::get(&getContext(), name),
                                                   getOperation())))
        return signalPassFailure();
      function.setName(name);
    }
  }
};

} // namespace
