//===- CompileKernels.cpp - Kernels to SPIR-V -----------------------------===//

#include "TranslateToSpirv.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/XeVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVM/XeVM/Utils.h"
#include "ssmq/Conversion/SSMToXe/Passes.h"
#include "llvm-c/Target.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include <mutex>

namespace mlir::ssm {
#define GEN_PASS_DEF_COMPILEKERNELS
#include "ssmq/Conversion/SSMToXe/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

struct Serializer : public xevm::SerializeGPUModuleBase {
  using SerializeGPUModuleBase::SerializeGPUModuleBase;

  FailureOr<SmallVector<char, 0>> moduleToObject(llvm::Module &module) override {
    // The lowering of block loads reads vectors from arrays that are aligned as their elements.
    for (llvm::Function &function : module)
      for (llvm::Instruction &instruction : llvm::instructions(function))
        if (auto *array = dyn_cast<llvm::AllocaInst>(&instruction))
          array->setAlignment(llvm::Align(64));
    llvm::Expected<SmallVector<char, 0>> spirv =
        ssm::translateToSpirv(module, llvm::Triple(triple));
    if (!spirv)
      return getOperation().emitError("cannot be translated to SPIR-V: ")
             << llvm::toString(spirv.takeError());
    return std::move(*spirv);
  }
};

struct CompileKernels : public ssm::impl::CompileKernelsBase<CompileKernels> {
  void runOnOperation() override {
    static std::once_flag once;
    std::call_once(once, [] {
      LLVMInitializeSPIRVTargetInfo();
      LLVMInitializeSPIRVTarget();
      LLVMInitializeSPIRVTargetMC();
      LLVMInitializeSPIRVAsmPrinter();
    });
    for (auto kernels : llvm::make_early_inc_range(getOperation().getOps<gpu::GPUModuleOp>())) {
      ArrayAttr targets = kernels.getTargetsAttr();
      auto target = targets && targets.size() == 1 ? dyn_cast<xevm::XeVMTargetAttr>(targets[0])
                                                   : xevm::XeVMTargetAttr();
      if (!target) {
        kernels.emitError("has no #xevm.target; run --xevm-attach-target first");
        return signalPassFailure();
      }
      std::optional<SmallVector<char, 0>> spirv = Serializer(*kernels, target).run();
      if (!spirv)
        return signalPassFailure();
      OpBuilder builder(kernels);
      auto object = gpu::ObjectAttr::get(
          &getContext(), target, gpu::CompilationTarget::Binary,
          builder.getStringAttr(StringRef(spirv->data(), spirv->size())), nullptr, nullptr);
      gpu::BinaryOp::create(builder, kernels.getLoc(), kernels.getName(), Attribute(),
                            builder.getArrayAttr({object}));
      kernels.erase();
    }
  }
};

} // namespace
