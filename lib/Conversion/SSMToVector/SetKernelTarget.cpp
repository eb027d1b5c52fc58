//===- SetKernelTarget.cpp - What kernels are generated for ---------------===//

#include "Emitters.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Conversion/Rounding/CheckFormats.h"
#include "ssmq/Conversion/SSMToVector/Passes.h"
#include "ssmq/Conversion/SSMToVector/SSMToVector.h"
#include "ssmq/Support/Target.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_SETKERNELTARGET
#include "ssmq/Conversion/SSMToVector/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

struct SetKernelTarget : public ssm::impl::SetKernelTargetBase<SetKernelTarget> {
  using Base::Base;

  void runOnOperation() override {
    llvm::Expected<ssmq::Target> named = ssmq::resolveTarget(this->target, features);
    if (!named) {
      getOperation().emitError(llvm::toString(named.takeError()));
      return signalPassFailure();
    }
    if (!llvm::is_contained({"auto", "static", "dynamic"}, schedule)) {
      getOperation().emitError("schedule must be auto, static or dynamic, but is ") << schedule;
      return signalPassFailure();
    }
    ssm::KernelTarget target;
    target.dot = named->dot;
    target.vectorWidth = vectorWidth ? unsigned(vectorWidth) : named->vectorWidth;
    if (!llvm::isPowerOf2_64(target.vectorWidth) || target.vectorWidth > 64) {
      getOperation().emitError("vector-width must be a power of two up to 64, but is ")
          << target.vectorWidth;
      return signalPassFailure();
    }
    if (dotProduct != "auto") {
      std::optional<ssmq::DotKind> kind = ssmq::parseDotKind(dotProduct);
      if (!kind) {
        getOperation().emitError("dot-product must be auto, none, avx2, avx_vnni, avx_vnni_int8 or "
                                 "avx512_vnni, but is ")
            << dotProduct;
        return signalPassFailure();
      }
      target.dot = *kind;
    }
    target.threads = threads;
    target.minParallelWork = minParallelWork;
    target.gemmLibrary = gemmLibrary;
    target.dynamicSchedule =
        schedule == "dynamic" || (schedule == "auto" && named->hasUnequalCores);
    WalkResult result = getOperation().walk([](Operation *op) {
      bool hasKernel = ssm::roundsItsState(op) || succeeded(ssm::checkFormats(op));
      return hasKernel ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    target.set(getOperation());
  }
};

} // namespace
