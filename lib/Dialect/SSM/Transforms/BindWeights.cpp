//===- BindWeights.cpp - Weights become external memory -------------------===//

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "ssmq/Dialect/SSM/Transforms/Passes.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_BINDWEIGHTS
#include "ssmq/Dialect/SSM/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;

namespace {

struct BindWeights : public ssm::impl::BindWeightsBase<BindWeights> {
  void runOnOperation() override {
    SmallVector<ml_program::GlobalOp> globals(getOperation().getOps<ml_program::GlobalOp>());
    for (ml_program::GlobalOp global : globals)
      if (failed(bind(global)))
        return signalPassFailure();
    WalkResult result = getOperation().walk([&](ml_program::GlobalLoadConstOp load) {
      return failed(replace(load)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult bind(ml_program::GlobalOp global) {
    auto type = dyn_cast<RankedTensorType>(global.getType());
    if (!type || !type.hasStaticShape())
      return global.emitError("a weight must be a tensor of static shape, but is ")
             << global.getType();
    if (isa<quant::QuantizedType>(type.getElementType()))
      return global.emitError("the quantized weight is not packed; run --ssmq-pack first");
    if (!MemRefType::isValidElementType(type.getElementType()))
      return global.emitError("no memory holds elements of type ") << type.getElementType();
    if (global.getIsMutable())
      return global.emitError("a mutable global cannot be a weight; pass states as arguments");

    // What is public without a value is a declaration, found by its name.
    Attribute value = global.getValueAttr();
    StringAttr visibility;
    if (isa_and_present<ml_program::ExternAttr>(value)) {
      value = nullptr;
    } else if (isa_and_present<ElementsAttr>(value)) {
      visibility = StringAttr::get(&getContext(), "private");
    } else {
      return global.emitError("a weight must be #ml_program.extern or have elements");
    }
    OpBuilder builder(global);
    memref::GlobalOp::create(builder, global.getLoc(), global.getSymNameAttr(), visibility,
                             TypeAttr::get(MemRefType::get(type.getShape(), type.getElementType())),
                             value, builder.getUnitAttr(), /*alignment=*/nullptr);
    global.erase();
    return success();
  }

  LogicalResult replace(ml_program::GlobalLoadConstOp load) {
    auto name = dyn_cast<FlatSymbolRefAttr>(load.getGlobal());
    auto global =
        name ? getOperation().lookupSymbol<memref::GlobalOp>(name.getAttr()) : memref::GlobalOp();
    if (!global)
      return load.emitError("loads what is no global of the module");
    OpBuilder builder(load);
    Value buffer =
        memref::GetGlobalOp::create(builder, load.getLoc(), global.getType(), global.getSymName());
    auto tensor = bufferization::ToTensorOp::create(builder, load.getLoc(), load.getType(), buffer,
                                                    /*restrict=*/true);
    load.replaceAllUsesWith(tensor.getResult());
    load.erase();
    return success();
  }
};

} // namespace
