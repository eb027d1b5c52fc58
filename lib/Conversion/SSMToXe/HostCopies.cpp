//===- HostCopies.cpp - Copies of buffers by the device -------------------===//

#include "HostCopies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mlir::ssm;

static bool isContiguous(MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t expected = 1;
  for (int64_t dim = type.getRank(); dim-- > 0;) {
    int64_t size = type.getDimSize(dim);
    if (size != 1 && strides[dim] != expected)
      return false;
    // Only the first dimension can be dynamic: what is before it is not known to be contiguous.
    expected = ShapedType::isDynamic(size) ? -1 : expected * size;
  }
  return true;
}

Value ssm::getStart(ImplicitLocOpBuilder &b, Value buffer, unsigned addressSpace) {
  auto type = cast<MemRefType>(buffer.getType());
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
  Value offset = memref::ExtractStridedMetadataOp::create(b, buffer).getOffset();
  Value bytes = arith::ConstantIndexOp::create(b, type.getElementTypeBitWidth() / 8);
  Value start = arith::AddIOp::create(b, base, arith::MulIOp::create(b, offset, bytes));
  Value number = arith::IndexCastOp::create(b, b.getI64Type(), start);
  return LLVM::IntToPtrOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), addressSpace),
                                  number);
}

static Value countBytes(ImplicitLocOpBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  Value bytes = arith::ConstantIndexOp::create(b, type.getElementTypeBitWidth() / 8);
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    bytes = arith::MulIOp::create(b, bytes, memref::DimOp::create(b, buffer, dim));
  return arith::IndexCastOp::create(b, b.getI64Type(), bytes);
}

LLVM::LLVMFuncOp ssm::getRuntime(ImplicitLocOpBuilder &b, ModuleOp module, StringRef name,
                                 ArrayRef<Type> inputs) {
  if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), inputs);
  return LLVM::LLVMFuncOp::create(b, name, type);
}

static LogicalResult convert(memref::CopyOp copy, ModuleOp module) {
  auto from = dyn_cast<MemRefType>(copy.getSource().getType());
  auto to = dyn_cast<MemRefType>(copy.getTarget().getType());
  if (!from || !to || !isContiguous(from) || !isContiguous(to))
    return copy.emitError("the device copies no buffers that are not contiguous");
  ImplicitLocOpBuilder b(copy.getLoc(), copy);
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto runtime = getRuntime(b, module, "ssmq_xe_copy", {pointer, pointer, b.getI64Type()});
  Value target = getStart(b, copy.getTarget()), source = getStart(b, copy.getSource());
  LLVM::CallOp::create(b, runtime, ValueRange{target, source, countBytes(b, copy.getSource())});
  copy.erase();
  return success();
}

/// A number that the host has computed, such as that of the tokens.
static LogicalResult convert(memref::StoreOp store, ModuleOp module) {
  auto type = dyn_cast<IntegerType>(store.getValue().getType());
  if (store.getMemRefType().getRank() != 0 || !type || type.getWidth() > 64)
    return store.emitError("the host gives the device integers only");
  ImplicitLocOpBuilder b(store.getLoc(), store);
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto runtime = getRuntime(b, module, "ssmq_xe_store", {pointer, b.getI64Type(), b.getI64Type()});
  Value bits = store.getValue();
  if (type.getWidth() < 64)
    bits = arith::ExtUIOp::create(b, b.getI64Type(), bits);
  Value bytes =
      LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr((type.getWidth() + 7) / 8));
  LLVM::CallOp::create(b, runtime, ValueRange{getStart(b, store.getMemRef()), bits, bytes});
  store.erase();
  return success();
}

LogicalResult ssm::convertCopies(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<memref::CopyOp, memref::StoreOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    auto copy = dyn_cast<memref::CopyOp>(op);
    if (failed(copy ? convert(copy, module) : convert(cast<memref::StoreOp>(op), module)))
      return failure();
  }
  return success();
}
