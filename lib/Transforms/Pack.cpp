//===- Pack.cpp - Give quantized weights the type of their bytes ----------===//

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/BuiltinOps.h"
#include "ssmq/Dialect/SSM/IR/SSMOps.h"
#include "ssmq/Formats/Packing.h"
#include "ssmq/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_PACKPASS
#include "ssmq/Transforms/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

/// Rows of bytes in place of rows of codes; the leading dimensions stay.
static RankedTensorType getPackedType(RankedTensorType type) {
  auto element = cast<quant::QuantizedType>(type.getElementType());
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = ::ssmq::getPackedRowBytes(shape.back(), element.getStorageTypeIntegralWidth());
  return RankedTensorType::get(shape, IntegerType::get(type.getContext(), 8));
}

static bool isQuantized(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<quant::QuantizedType>(tensor.getElementType());
}

template <typename OpTy>
static void pack(OpTy op) {
  auto type = dyn_cast<RankedTensorType>(op.getWeight().getType());
  auto element = type ? dyn_cast<quant::QuantizedType>(type.getElementType()) : nullptr;
  if (!element)
    return;
  op.setPackedBits(element.getStorageTypeIntegralWidth());
  if constexpr (std::is_same_v<OpTy, EmbeddingOp>)
    op.setColumns(type.getDimSize(1));
}

namespace {

class PackPass : public mlir::ssm::impl::PackPassBase<PackPass> {
public:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // First the ops, which still see how wide a code is, then what they read.
    WalkResult result = module.walk([](Operation *op) {
      bool readsCodes = llvm::any_of(op->getOperandTypes(), isQuantized);
      if (readsCodes && !isa<LinearOp, EmbeddingOp, CausalConv1dOp>(op)) {
        op->emitError("reads a quantized value, which cannot be packed here");
        return WalkResult::interrupt();
      }
      llvm::TypeSwitch<Operation *>(op).Case<LinearOp, EmbeddingOp, CausalConv1dOp>(
          [](auto typed) { pack(typed); });
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    module.walk([](ml_program::GlobalLoadConstOp load) {
      if (isQuantized(load.getType()))
        load.getResult().setType(getPackedType(cast<RankedTensorType>(load.getType())));
    });
    for (auto global : module.getOps<ml_program::GlobalOp>()) {
      if (!isQuantized(global.getType()))
        continue;
      RankedTensorType type = getPackedType(cast<RankedTensorType>(global.getType()));
      global.setType(type);
      if (isa_and_nonnull<ml_program::ExternAttr>(global.getValueAttr()))
        global.setValueAttr(ml_program::ExternAttr::get(&getContext(), type));
    }
  }
};

} // namespace
