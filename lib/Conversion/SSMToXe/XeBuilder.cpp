//===- XeBuilder.cpp - Builds the body of a GPU kernel --------------------===//

#include "XeBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::ssm;

/// Address spaces of OpenCL: constants, and memory of a work-group.
static constexpr unsigned kConstantSpace = 2, kLocalSpace = 3;

XeBuilder::XeBuilder(Location loc, OpBuilder &builder, gpu::GPUModuleOp module)
    : ImplicitLocOpBuilder(loc, builder), module(module) {
  lane = gpu::LaneIdOp::create(*this, /*upper_bound=*/nullptr);
  subgroup = gpu::SubgroupIdOp::create(*this, /*upper_bound=*/nullptr);
  item = gpu::ThreadIdOp::create(*this, gpu::Dimension::x);
}

Value XeBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }
Value XeBuilder::f32(float value) {
  return arith::ConstantOp::create(*this, getF32FloatAttr(value));
}
Value XeBuilder::i32(int32_t value) {
  return arith::ConstantOp::create(*this, getI32IntegerAttr(value));
}
Value XeBuilder::add(Value lhs, Value rhs) { return createOrFold<arith::AddIOp>(lhs, rhs); }
Value XeBuilder::mul(Value lhs, Value rhs) { return createOrFold<arith::MulIOp>(lhs, rhs); }
Value XeBuilder::floorDiv(Value lhs, int64_t rhs) {
  return createOrFold<arith::DivUIOp>(lhs, index(rhs));
}
Value XeBuilder::rem(Value lhs, int64_t rhs) {
  return createOrFold<arith::RemUIOp>(lhs, index(rhs));
}
Value XeBuilder::isLess(Value lhs, Value rhs) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt, lhs, rhs);
}
Value XeBuilder::isEqual(Value lhs, Value rhs) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, lhs, rhs);
}
Value XeBuilder::addf(Value lhs, Value rhs) { return arith::AddFOp::create(*this, lhs, rhs); }
Value XeBuilder::mulf(Value lhs, Value rhs) { return arith::MulFOp::create(*this, lhs, rhs); }
Value XeBuilder::fma(Value a, Value b, Value c) { return math::FmaOp::create(*this, a, b, c); }
Value XeBuilder::subf(Value lhs, Value rhs) { return arith::SubFOp::create(*this, lhs, rhs); }
Value XeBuilder::divf(Value lhs, Value rhs) { return arith::DivFOp::create(*this, lhs, rhs); }
Value XeBuilder::select(Value condition, Value then, Value otherwise) {
  return createOrFold<arith::SelectOp>(condition, then, otherwise);
}
Value XeBuilder::both(Value lhs, Value rhs) { return createOrFold<arith::AndIOp>(lhs, rhs); }
Value XeBuilder::min(Value lhs, Value rhs) { return select(isLess(lhs, rhs), lhs, rhs); }
Value XeBuilder::bitcast(Value value, Type type) {
  return arith::BitcastOp::create(*this, type, value);
}
Value XeBuilder::exp(Value value) { return math::ExpOp::create(*this, value); }

Type ssm::getTypeInMemory(Type element) {
  return element.isBF16() ? IntegerType::get(element.getContext(), 16) : element;
}

Value XeBuilder::dotBytes(Value lhs, Value rhs, Value sum) {
  auto toInteger = [&](Value word, int32_t byte) -> Value {
    Value upper = arith::ShLIOp::create(*this, word, i32(24 - 8 * byte));
    return arith::ShRSIOp::create(*this, upper, i32(24));
  };
  for (int32_t i = 0; i < 4; ++i)
    sum = add(sum, mul(toInteger(lhs, i), toInteger(rhs, i)));
  return sum;
}

Value XeBuilder::address(const Place &place, ValueRange indices) {
  Value offset = index(0);
  for (auto [i, stride] : llvm::zip_equal(indices, place.strides))
    offset = add(offset, mul(i, stride));
  Value number = createOrFold<arith::IndexCastOp>(getI64Type(), offset);
  return LLVM::GEPOp::create(*this, place.pointer.getType(), getTypeInMemory(place.element),
                             place.pointer, ArrayRef<LLVM::GEPArg>{number});
}

Value XeBuilder::loadRaw(const Place &place, ValueRange indices, int64_t count) {
  auto ofCount = [&](Type type) -> Type {
    return count == 1 ? type : VectorType::get({count}, type);
  };
  unsigned alignment = std::max(1u, place.element.getIntOrFloatBitWidth() / 8);
  Value loaded = LLVM::LoadOp::create(*this, ofCount(getTypeInMemory(place.element)),
                                      address(place, indices), alignment);
  return createOrFold<arith::BitcastOp>(ofCount(place.element), loaded);
}

Value XeBuilder::load(const Place &place, ValueRange indices) {
  return widen(loadRaw(place, indices));
}

Value XeBuilder::widen(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  Type type = getF32Type();
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(type);
  if (element.isInteger(8))
    return arith::SIToFPOp::create(*this, type, value);
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32)
    return arith::ExtFOp::create(*this, type, value);
  return value;
}

Value XeBuilder::narrow(Value value, Type element) {
  if (!isa<FloatType>(element) || value.getType() == element)
    return value;
  return arith::TruncFOp::create(*this, element, value);
}

void XeBuilder::store(Value value, const Place &place, ValueRange indices) {
  value = narrow(value, place.element);
  value = createOrFold<arith::BitcastOp>(getTypeInMemory(place.element), value);
  LLVM::StoreOp::create(*this, value, address(place, indices));
}

Place XeBuilder::local(Type element, ArrayRef<int64_t> shape) {
  int64_t count = 1;
  SmallVector<int64_t> strides;
  for (int64_t size : llvm::reverse(shape)) {
    strides.insert(strides.begin(), count);
    count *= size;
  }
  auto type = LLVM::LLVMArrayType::get(getTypeInMemory(element), count);
  std::string name = nameGlobal("local_");
  OpBuilder atModule = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(atModule, getLoc(), type, /*isConstant=*/false,
                                       LLVM::Linkage::Internal, name, Attribute(),
                                       /*alignment=*/16, kLocalSpace);
  Block *body = atModule.createBlock(&global.getInitializerRegion());
  atModule.setInsertionPointToEnd(body);
  LLVM::ReturnOp::create(atModule, getLoc(), LLVM::UndefOp::create(atModule, getLoc(), type));
  Value pointer = LLVM::AddressOfOp::create(
      *this, LLVM::LLVMPointerType::get(getContext(), kLocalSpace), global.getSymName());
  return {pointer, element, strides, nullptr};
}

Place XeBuilder::constants(ArrayRef<float> numbers) {
  auto size = static_cast<int64_t>(numbers.size());
  auto values = DenseElementsAttr::get(RankedTensorType::get(size, getF32Type()), numbers);
  OpBuilder atModule = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(
      atModule, getLoc(), LLVM::LLVMArrayType::get(getF32Type(), size), /*isConstant=*/true,
      LLVM::Linkage::Internal, nameGlobal("constants_"), values, /*alignment=*/16, kConstantSpace);
  Value pointer = LLVM::AddressOfOp::create(
      *this, LLVM::LLVMPointerType::get(getContext(), kConstantSpace), global.getSymName());
  return {pointer, getF32Type(), {1}, nullptr};
}

std::string XeBuilder::nameGlobal(StringRef prefix) {
  std::string name;
  unsigned number = 0;
  do
    name = (prefix + Twine(number++)).str();
  while (module.lookupSymbol(name));
  return name;
}

void XeBuilder::barrier() { gpu::BarrierOp::create(*this); }

XeBuilder::Values XeBuilder::loop(Value begin, Value end, Value step, ValueRange inits,
                                  function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, begin, end, step, inits,
                                 [&](OpBuilder &, Location, Value i, ValueRange values) {
                                   OpBuilder::InsertionGuard guard(*this);
                                   setInsertionPointToEnd(i.getParentBlock());
                                   Values next = body(i, values);
                                   scf::YieldOp::create(*this, next);
                                 });
  return Values(loop.getResults());
}

void XeBuilder::loop(Value begin, Value end, Value step, function_ref<void(Value)> body) {
  loop(begin, end, step, {}, [&](Value i, ValueRange) {
    body(i);
    return Values();
  });
}

XeBuilder::Values XeBuilder::overSteps(int64_t size, int64_t step, ValueRange inits,
                                       function_ref<Values(Value, int64_t, ValueRange)> body) {
  int64_t whole = size / step * step;
  Values values(inits);
  if (whole == step)
    values = body(index(0), step, values);
  else if (whole > 0)
    values = loop(index(0), index(whole), index(step), values,
                  [&](Value first, ValueRange before) { return body(first, step, before); });
  return whole == size ? values : body(index(whole), size - whole, values);
}

void XeBuilder::overColumns(int64_t columns, function_ref<void(Value)> body) {
  loop(item, index(columns), index(kItems), body);
}

void XeBuilder::ifThen(Value condition, function_ref<void()> body, function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(*this, condition, static_cast<bool>(otherwise));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPoint(branch.thenYield());
  body();
  if (otherwise) {
    setInsertionPoint(branch.elseYield());
    otherwise();
  }
}

Value XeBuilder::shuffleXor(Value value, int64_t distance) {
  return gpu::ShuffleOp::create(*this, value, i32(static_cast<int32_t>(distance)), i32(kLanes),
                                gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

Value XeBuilder::reduceSubgroup(Value value, Combine combine) {
  for (int64_t distance = kLanes / 2; distance > 0; distance /= 2)
    value = combine(value, shuffleXor(value, distance));
  return value;
}

Value XeBuilder::reduceGroup(Value value, Combine combine) {
  Value ofSubgroup = reduceSubgroup(value, combine);
  Place parts = local(value.getType(), {kSubgroups});
  // Those of an earlier reduction may still be read.
  barrier();
  ifThen(isEqual(lane, index(0)), [&] { store(ofSubgroup, parts, subgroup); });
  barrier();
  Value result = load(parts, index(0));
  for (int64_t i = 1; i < kSubgroups; ++i)
    result = combine(result, load(parts, index(i)));
  return result;
}

Value XeBuilder::sumSubgroup(Value value) {
  return reduceSubgroup(value, [&](Value a, Value b) { return addf(a, b); });
}
Value XeBuilder::sumGroup(Value value) {
  return reduceGroup(value, [&](Value a, Value b) { return addf(a, b); });
}
