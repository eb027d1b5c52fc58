//===- HostCopies.cpp - Copies of buffers by the device -------------------===//

#include "HostCopies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

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

static Value getStart(ImplicitLocOpBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
  Value offset = memref::ExtractStridedMetadataOp::create(b, buffer).getOffset();
  Value bytes = arith::ConstantIndexOp::create(b, type.getElementTypeBitWidth() / 8);
  Value start = arith::AddIOp::create(b, base, arith::MulIOp::create(b, offset, bytes));
  Value number = arith::IndexCastOp::create(b, b.getI64Type(), start);
  return LLVM::IntToPtrOp::create(b, LLVM::LLVMPointerType::get(b.getContext()), number);
}

static Value countBytes(ImplicitLocOpBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  Value bytes = arith::ConstantIndexOp::create(b, type.getElementTypeBitWidth() / 8);
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    bytes = arith::MulIOp::create(b, bytes, memref::DimOp::create(b, buffer, dim));
  return arith::IndexCastOp::create(b, b.getI64Type(), bytes);
}

LogicalResult ssm::convertCopies(ModuleOp module) {
  SmallVector<memref::CopyOp> copies;
  module.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
  for (memref::CopyOp copy : copies) {
    auto from = dyn_cast<MemRefType>(copy.getSource().getType());
    auto to = dyn_cast<MemRefType>(copy.getTarget().getType());
    if (!from || !to || !isContiguous(from) || !isContiguous(to))
      return copy.emitError("the device copies no buffers that are not contiguous");
    ImplicitLocOpBuilder b(copy.getLoc(), copy);
    auto runtime = module.lookupSymbol<LLVM::LLVMFuncOp>("ssmq_xe_copy");
    if (!runtime) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      Type pointer = LLVM::LLVMPointerType::get(b.getContext());
      runtime = LLVM::LLVMFuncOp::create(
          b, "ssmq_xe_copy",
          LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                      {pointer, pointer, b.getI64Type()}));
    }
    Value target = getStart(b, copy.getTarget()), source = getStart(b, copy.getSource());
    LLVM::CallOp::create(b, runtime, ValueRange{target, source, countBytes(b, copy.getSource())});
    copy.erase();
  }
  return success();
}
