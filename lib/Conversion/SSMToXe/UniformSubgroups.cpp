//===- UniformSubgroups.cpp - A sub-group's number is one for all lanes ---===//

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "ssmq/Conversion/SSMToXe/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_UNIFORMSUBGROUPS
#include "ssmq/Conversion/SSMToXe/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

/// uint sub_group_broadcast(uint, uint lane), as OpenCL C mangles it.
static LLVM::LLVMFuncOp declareBroadcast(gpu::GPUModuleOp module) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  Type word = builder.getI32Type();
  auto function =
      LLVM::LLVMFuncOp::create(builder, module.getLoc(), "_Z19sub_group_broadcastjj",
                               LLVM::LLVMFunctionType::get(word, {word, word}),
                               LLVM::Linkage::External, /*dsoLocal=*/false, LLVM::CConv::SPIR_FUNC);
  function.setConvergent(true);
  function.setNoUnwind(true);
  function.setWillReturn(true);
  return function;
}

namespace {

struct UniformSubgroups : public ssm::impl::UniformSubgroupsBase<UniformSubgroups> {
  void runOnOperation() override {
    LLVM::LLVMFuncOp broadcast;
    getOperation().walk([&](LLVM::CallOp call) {
      if (call.getCallee() != "_Z16get_sub_group_idv" && call.getCallee() != "_Z16get_sub_group_id")
        return;
      if (!broadcast)
        broadcast = declareBroadcast(getOperation());
      ImplicitLocOpBuilder b(call.getLoc(), call->getBlock(), ++call->getIterator());
      Value zero = LLVM::ConstantOp::create(b, b.getI32IntegerAttr(0));
      auto uniform = LLVM::CallOp::create(b, broadcast, ValueRange{call.getResult(), zero});
      uniform.setCConv(LLVM::CConv::SPIR_FUNC);
      uniform.setConvergent(true);
      call.getResult().replaceAllUsesExcept(uniform.getResult(), uniform);
    });
  }
};

} // namespace
