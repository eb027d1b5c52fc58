//===- LaunchBufferization.cpp - Launches become calls --------------------===//

#include "LaunchKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/Bufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/XeGPU/IR/XeGPU.h"
#include "ssmq/Conversion/SSMToXe/Passes.h"
#include "ssmq/Conversion/SSMToXe/SSMToXe.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_BUFFERIZELAUNCHES
#include "ssmq/Conversion/SSMToXe/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::ssm;

namespace {

struct LaunchModel : public BufferizableOpInterface::ExternalModel<LaunchModel, LaunchOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const {
    return true;
  }

  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return llvm::any_of(cast<LaunchOp>(op).getStates(),
                        [&](auto state) { return state.first == &operand; });
  }

  AliasingValueList getAliasingValues(Operation *op, OpOperand &operand,
                                      const AnalysisState &) const {
    for (auto [state, next] : cast<LaunchOp>(op).getStates())
      if (state == &operand)
        return {{next, BufferRelation::Equivalent}};
    return {};
  }

  bool bufferizesToAllocation(Operation *op, Value value) const {
    return llvm::none_of(cast<LaunchOp>(op).getStates(),
                         [&](auto state) { return state.second == value; });
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options, BufferizationState &state) const {
    auto launch = cast<LaunchOp>(op);
    SmallVector<Value> buffers;
    for (Value input : launch.getInputs()) {
      FailureOr<Value> buffer = getBuffer(rewriter, input, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    SmallVector<Value> results(launch->getNumResults());
    for (auto [input, next] : launch.getStates())
      results[next.getResultNumber()] = buffers[input->getOperandNumber()];
    for (auto [i, result] : llvm::enumerate(results)) {
      if (result)
        continue;
      FailureOr<Value> buffer = allocate(rewriter, launch, i, buffers, options);
      if (failed(buffer))
        return failure();
      result = *buffer;
    }
    buffers.append(results);
    FailureOr<func::FuncOp> function =
        getLaunchFunction(launch, op->getParentOfType<ModuleOp>(), ValueRange(buffers).getTypes());
    if (failed(function))
      return failure();
    func::CallOp::create(rewriter, op->getLoc(), *function, buffers);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }

  /// Memory for a result; its rows are as many as those of the first input of unknown rows.
  static FailureOr<Value> allocate(RewriterBase &rewriter, LaunchOp launch, unsigned number,
                                   ArrayRef<Value> buffers, const BufferizationOptions &options) {
    auto type = cast<RankedTensorType>(launch->getResultTypes()[number]);
    SmallVector<Value> sizes;
    if (!type.hasStaticShape())
      for (Value buffer : buffers)
        if (auto input = cast<MemRefType>(buffer.getType());
            input.getRank() > 0 && input.isDynamicDim(0)) {
          sizes.push_back(memref::DimOp::create(rewriter, launch.getLoc(), buffer, 0));
          break;
        }
    if (sizes.size() != static_cast<size_t>(type.getNumDynamicDims()))
      return launch.emitError("the sizes of result ") << number << " do not follow from the inputs";
    return options.createAlloc(rewriter, launch.getLoc(),
                               MemRefType::get(type.getShape(), type.getElementType()), sizes);
  }
};

struct BufferizeLaunches : public ssm::impl::BufferizeLaunchesBase<BufferizeLaunches> {
  using BufferizeLaunchesBase::BufferizeLaunchesBase;

  void runOnOperation() override {
    // First, as bufferization would add an error of its own.
    WalkResult checked = getOperation()->walk([](LaunchOp launch) {
      return succeeded(checkLaunch(launch)) ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (checked.wasInterrupted())
      return signalPassFailure();
    getOperation()->setAttr(kDpasAttrName, BoolAttr::get(&getContext(), dpas));
    OneShotBufferizationOptions options;
    options.opFilter.denyOperation(
        [](Operation *op) { return op->getParentOfType<LaunchOp>() != nullptr; });
    BufferizationState state;
    if (failed(runOneShotBufferize(getOperation(), options, state)))
      signalPassFailure();
  }
};

} // namespace

void mlir::ssm::registerLaunchBufferization(DialectRegistry &registry) {
  registry
      .insert<arith::ArithDialect, gpu::GPUDialect, LLVM::LLVMDialect, math::MathDialect,
              memref::MemRefDialect, scf::SCFDialect, vector::VectorDialect, xegpu::XeGPUDialect>();
  registry.addExtension(+[](MLIRContext *context, SSMDialect *) {
    LaunchOp::attachInterface<LaunchModel>(*context);
    for (StringRef dialect : {"arith", "gpu", "llvm", "math", "memref", "scf", "vector", "xegpu"})
      context->getOrLoadDialect(dialect);
  });
}
