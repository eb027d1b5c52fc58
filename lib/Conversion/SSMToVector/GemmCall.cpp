//===- GemmCall.cpp - Calls of the runtime's matrix product ---------------===//

#include "GemmCall.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::ssm;

/// Address of the first element and elements from row to row.
static std::pair<Value, Value> getRows(KernelBuilder &k, Value memref, int64_t elementBytes) {
  auto data = memref::ExtractStridedMetadataOp::create(k, memref);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(k, memref);
  return {k.add(base, k.mul(data.getOffset(), elementBytes)), data.getStrides()[0]};
}

static func::FuncOp getDeclaration(KernelBuilder &k) {
  auto module = k.getBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (auto known = module.lookupSymbol<func::FuncOp>("ssmq_gemm"))
    return known;
  OpBuilder::InsertionGuard guard(k);
  k.setInsertionPointToStart(module.getBody());
  SmallVector<Type> inputs(9, k.getIndexType());
  auto function = func::FuncOp::create(k, "ssmq_gemm", k.getFunctionType(inputs, {}));
  function.setPrivate();
  return function;
}

void mlir::ssm::emitGemmCall(KernelBuilder &k, Value input, Value weight, Value bias,
                             Value result) {
  auto weightType = cast<MemRefType>(weight.getType());
  Type element = weightType.getElementType();
  int64_t kind = element.isF32() ? 0 : element.isF16() ? 1 : 2;
  int64_t rows = weightType.getDimSize(0), columns = weightType.getDimSize(1);
  Value tokens = k.dim(input, 0);
  auto [x, xStride] = getRows(k, input, 4);
  auto [y, yStride] = getRows(k, result, 4);
  Value w = getRows(k, weight, kind == 0 ? 4 : 2).first;
  func::CallOp::create(k, getDeclaration(k),
                       ValueRange{x, xStride, w, k.index(kind), y, yStride, tokens, k.index(rows),
                                  k.index(columns)});
  if (!bias)
    return;
  k.loop(k.index(0), tokens, 1, [&](Value t) {
    k.overColumns(rows, k.lanesFor(rows), [&](Value row, int64_t count) {
      Value sum =
          arith::AddFOp::create(k, k.load(result, {t, row}, count), k.load(bias, row, count));
      k.store(sum, result, {t, row});
    });
  });
}
