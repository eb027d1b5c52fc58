//===- SetKernelTarget.cpp - What kernels are generated for ---------------===//

#include "CheckFormats.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Conversion/SSMToVector/Passes.h"
#include "ssmq/Conversion/SSMToVector/SSMToVector.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Host.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_SETKERNELTARGET
#include "ssmq/Conversion/SSMToVector/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

static unsigned getHostVectorWidth() {
  return llvm::sys::getHostCPUFeatures().lookup("avx512f") ? 16 : 8;
}

namespace {

struct SetKernelTarget : public ssm::impl::SetKernelTargetBase<SetKernelTarget> {
  using Base::Base;

  void runOnOperation() override {
    ssm::KernelTarget target;
    target.vectorWidth = vectorWidth ? unsigned(vectorWidth) : getHostVectorWidth();
    if (!llvm::isPowerOf2_64(target.vectorWidth) || target.vectorWidth > 64) {
      getOperation().emitError("vector-width must be a power of two up to 64, but is ")
          << target.vectorWidth;
      return signalPassFailure();
    }
    target.threads = threads;
    target.minParallelWork = minParallelWork;
    target.gemmLibrary = gemmLibrary;
    WalkResult result = getOperation().walk([](Operation *op) {
      return failed(ssm::checkFormats(op)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    target.set(getOperation());
  }
};

} // namespace
