//===- VectorRounding.cpp - Rounding of vectors to formats ----------------===//

#include "VectorRounding.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::ssm;

static int64_t getLanes(Value vector) { return cast<VectorType>(vector.getType()).getDimSize(0); }

/// The integers whose order is that of the floats: negative ones have all bits but the sign turned.
static Value toOrdered(KernelBuilder &k, Value bits) {
  auto type = cast<VectorType>(bits.getType());
  Value sign = arith::ShRSIOp::create(k, bits, k.integers(type, 31));
  Value turned = arith::AndIOp::create(k, sign, k.integers(type, 0x7fffffff));
  return arith::XOrIOp::create(k, bits, turned);
}

static Value fromOrdered(KernelBuilder &k, Value ordered) {
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(k, k.getI32IntegerAttr(value));
  };
  Value sign = arith::ShRSIOp::create(k, ordered, constant(31));
  Value turned = arith::AndIOp::create(k, sign, constant(0x7fffffff));
  return arith::BitcastOp::create(k, k.getF32Type(),
                                  arith::XOrIOp::create(k, ordered, turned).getResult());
}

VectorRounding::Values VectorRounding::startRange(int64_t lanes) {
  Value zero = k.integers(VectorType::get({lanes}, k.getI32Type()), 0);
  return isSymmetric ? Values{zero} : Values{zero, zero, zero};
}

// Ranges are found among the bits as integers, where NaN is largest and no comparison is unordered.
VectorRounding::Values VectorRounding::addToRange(ValueRange range, Value x) {
  x = k.pad(x, getLanes(range.front()));
  auto type = cast<VectorType>(range.front().getType());
  Value bits = arith::BitcastOp::create(k, type, x);
  Value magnitude = arith::AndIOp::create(k, bits, k.integers(type, 0x7fffffff));
  Values next = {arith::MaxSIOp::create(k, range[0], magnitude)};
  if (isSymmetric)
    return next;
  Value ordered = toOrdered(k, bits);
  next.push_back(arith::MinSIOp::create(k, range[1], ordered));
  next.push_back(arith::MaxSIOp::create(k, range[2], ordered));
  return next;
}

VectorRounding::Grid VectorRounding::fit(ValueRange range) {
  auto reduce = [&](vector::CombiningKind kind, Value vector) -> Value {
    return vector::ReductionOp::create(k, kind, vector);
  };
  Value magnitude =
      arith::BitcastOp::create(k, k.getF32Type(), reduce(vector::CombiningKind::MAXSI, range[0]));
  if (isSymmetric)
    return grids.fitSymmetric(magnitude);
  Grid grid = grids.fitAsymmetric(fromOrdered(k, reduce(vector::CombiningKind::MINSI, range[1])),
                                  fromOrdered(k, reduce(vector::CombiningKind::MAXSI, range[2])));
  // Infinite or NaN values must not vanish in a range that their order found without them.
  Value zeroOrNaN = arith::SubFOp::create(k, magnitude, magnitude);
  grid.scale = arith::AddFOp::create(k, grid.scale, zeroOrNaN);
  return grid;
}

Value VectorRounding::makeTable(ArrayRef<::ssmq::RunGrid> known) {
  SmallVector<float> numbers;
  for (int64_t part = 0; part < IntegerGrids::kParts; ++part)
    for (const ::ssmq::RunGrid &grid : known)
      numbers.push_back(IntegerGrids::getParts(grid)[part]);
  SmallVector<int64_t> shape = {IntegerGrids::kParts, static_cast<int64_t>(known.size())};
  auto type = MemRefType::get(shape, k.getF32Type());
  auto elements = DenseElementsAttr::get(RankedTensorType::get(shape, k.getF32Type()),
                                         ArrayRef<float>(numbers));
  auto module = k.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  std::string name;
  for (unsigned number = 0; name.empty() || module.lookupSymbol(name); ++number)
    name = "ssmq_grids_" + std::to_string(number);
  {
    OpBuilder::InsertionGuard guard(k);
    k.setInsertionPointToStart(module.getBody());
    memref::GlobalOp::create(k, name, k.getStringAttr("private"), type, elements,
                             /*constant=*/true, /*alignment=*/nullptr);
  }
  return memref::GetGlobalOp::create(k, type, name);
}

VectorRounding::Grid VectorRounding::loadGrid(Value table, Value run, int64_t lanes) {
  auto part = [&](int64_t number) {
    return lanes == 0 ? k.loadScalar(table, {k.index(number), run})
                      : k.load(table, {k.index(number), run}, lanes);
  };
  Grid grid = {part(0), part(1), part(2), part(3), nullptr, nullptr};
  if (!isSymmetric) {
    grid.lowValue = part(4);
    grid.highValue = part(5);
  }
  return grid;
}

/// What lanes share, in each.
static VectorRounding::Grid spread(KernelBuilder &k, const VectorRounding::Grid &grid,
                                   int64_t lanes) {
  auto each = [&](Value value) {
    return value && !isa<VectorType>(value.getType()) ? k.splat(value, lanes) : value;
  };
  return {each(grid.scale),    each(grid.divisor),  each(grid.lowCode),
          each(grid.highCode), each(grid.lowValue), each(grid.highValue)};
}

Value VectorRounding::round(Value x, const Grid &grid) {
  return grids.round(x, spread(k, grid, getLanes(x)));
}

Value VectorRounding::roundToSteps(Value x, const Grid &grid) {
  return grids.integers.roundToSteps(x, spread(k, grid, getLanes(x)));
}
