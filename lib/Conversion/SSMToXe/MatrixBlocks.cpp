//===- MatrixBlocks.cpp - Blocks of matrices for dpas ---------------------===//

#include "MatrixBlocks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/XeGPU/IR/XeGPU.h"

using namespace mlir;
using namespace mlir::ssm;

/// What 2-D block loads ask of a matrix, in bytes; the last of columns where blocks begin and of
/// the width.
static constexpr int64_t kBaseAlignment = 64, kLeastWidth = 64, kPitchMultiple = 16,
                         kColumnMultiple = 4;

MatrixBlocks::MatrixBlocks(XeBuilder &k, const Place &place, Value rows, int64_t columns,
                           int64_t step)
    : k(k), place(place), element(place.element), rows(rows), columns(columns) {
  // Nothing but the whole block is ever bf16.
  this->place.element = getTypeInMemory(element);
  int64_t bytes = place.element.getIntOrFloatBitWidth() / 8;
  int64_t pitch = place.strides[0] * bytes;
  auto isColumn = [&](int64_t number) { return number * bytes % kColumnMultiple == 0; };
  if (!place.offset || columns * bytes < kLeastWidth || pitch % kPitchMultiple != 0 ||
      place.strides[1] != 1 || !isColumn(*place.offset) || !isColumn(columns) || !isColumn(step))
    return;
  // The pointer's own lower bits would tell as well, but LLVM 22 takes them to SPIR-V as numbers of
  // 6 bits, which it zero-extends wrongly.
  shift = *place.offset % (kBaseAlignment / bytes);
  Value address = LLVM::PtrToIntOp::create(k, k.getI64Type(), place.pointer);
  Value past = arith::ConstantOp::create(k, k.getI64IntegerAttr(-shift * bytes));
  Value base = k.add(address, past);
  SmallVector<int64_t> block = {kRows, bytes == 1 ? 32 : 16};
  auto type = xegpu::TensorDescType::get(block, this->place.element, /*array_length=*/1,
                                         /*boundary_check=*/true);
  SmallVector<OpFoldResult> shape = {rows, k.index(shift + columns)};
  SmallVector<OpFoldResult> strides = {k.getIndexAttr(place.strides[0]), k.getIndexAttr(1)};
  descriptor = xegpu::CreateNdDescOp::create(k, type, base, shape, strides);
}

Value MatrixBlocks::loadEach(Value row, Value column) {
  Value isInside =
      arith::AndIOp::create(k, k.isLess(row, rows), k.isLess(column, k.index(columns)));
  Value zero = k.index(0);
  Value known = k.loadRaw(place, {arith::SelectOp::create(k, isInside, row, zero),
                                  arith::SelectOp::create(k, isInside, column, zero)});
  Value nothing = arith::ConstantOp::create(k, k.getZeroAttr(place.element));
  return arith::SelectOp::create(k, isInside, known, nothing);
}

Value MatrixBlocks::load(Value row, Value column) {
  const int64_t numbers = place.element.isInteger(8) ? 2 : 1;
  auto type = VectorType::get({kRows * numbers}, place.element);
  Value block;
  if (descriptor) {
    SmallVector<OpFoldResult> at = {row, k.add(column, shift)};
    // Without being told, the lowering of XeGPU passes all caches by.
    auto cached = xegpu::CachePolicyAttr::get(k.getContext(), xegpu::CachePolicy::CACHED);
    block = xegpu::LoadNdOp::create(k, type, descriptor, at, UnitAttr(), DenseI64ArrayAttr(),
                                    cached, cached, cached, xegpu::DistributeLayoutAttr());
  } else {
    SmallVector<Value> elements;
    Value first = k.add(column, k.mul(k.lane, numbers));
    for (int64_t i = 0; i < kRows * numbers; ++i)
      elements.push_back(loadEach(k.add(row, i / numbers), k.add(first, i % numbers)));
    block = vector::FromElementsOp::create(k, type, elements);
  }
  if (numbers == 2 || element.isF16())
    return block;
  block = k.createOrFold<arith::BitcastOp>(type.clone(element), block);
  return arith::TruncFOp::create(k, VectorType::get({kRows}, k.getF16Type()), k.widen(block));
}

Value ssm::multiplyBlocks(XeBuilder &k, Value a, Value b, Value sums) {
  return xegpu::DpasOp::create(k, sums.getType(), a, b, sums, xegpu::DistributeLayoutAttr(),
                               xegpu::DistributeLayoutAttr(), xegpu::DistributeLayoutAttr());
}
