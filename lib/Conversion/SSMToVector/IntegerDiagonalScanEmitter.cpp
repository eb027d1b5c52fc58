//===- IntegerDiagonalScanEmitter.cpp - S4D's recurrence in integers ------===//
//
// The arithmetic of Kernels/IntegerDiagonalScan.cpp, bit for bit: i32 lanes are real and imaginary
// parts in turn, as in DiagonalScanEmitter.cpp.
//
//===----------------------------------------------------------------------===//

#include "Emitters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "ssmq/Kernels/IntegerDiagonalScan.h"

using namespace mlir;
using namespace mlir::ssm;
using Constant = ::ssmq::IntegerScanConstant;

namespace {

using Values = KernelBuilder::Values;

class IntegerDiagonalScanEmitter {
public:
  IntegerDiagonalScanEmitter(KernelBuilder &k, IntegerDiagonalScanOp::Adaptor op, Value result);
  void run();

private:
  /// Columns of a head's states that make a vector.
  struct Chunk {
    int64_t start, count;
  };
  /// x >> shift, rounded to nearest: scalars, or one in all lanes.
  struct Shift {
    Value half, bits;
  };
  /// One vector a chunk; the rest is the same for all of a head.
  struct System {
    Values aRe, aIm, b, c;
    Shift ofInput, ofSum, ofState;
    Value inputMultiplier, lowest, highest, outputScale, d;
  };

  void scanHead(Value head);
  System loadSystem(Value head);
  Values loadState(Value head, const System &system);
  void storeState(Value head, ValueRange state);
  void step(Value t, Value head, const System &system, Values &state);

  Value i32(int32_t value) { return arith::ConstantOp::create(k, k.getI32IntegerAttr(value)); }
  Value add(Value x, Value y) { return arith::AddIOp::create(k, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(k, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(k, x, y); }
  Value spread(Value scalar) { return k.splat(scalar, lanes); }
  Value widen(Value bytes) {
    auto type = cast<VectorType>(bytes.getType());
    return arith::ExtSIOp::create(k, type.clone(k.getI32Type()), bytes);
  }
  Value constantOf(Value head, Constant which) {
    return memref::LoadOp::create(k, op.getConstants(),
                                  ValueRange{head, k.index(static_cast<int64_t>(which))});
  }
  Shift getShift(Value bits);
  Shift spread(Shift shift) { return {spread(shift.half), spread(shift.bits)}; }
  Value shiftRight(Value x, const Shift &by) {
    return arith::ShRSIOp::create(k, add(x, by.half), by.bits);
  }
  /// Lanes 2 i and 2 i + 1 of a constant.
  Value alternate(int64_t count, int32_t even, int32_t odd);
  /// Lanes 2 i and 2 i + 1 of the result are lanes 2 i + first and 2 i + second.
  Value arrange(Value vector, int64_t first, int64_t second);
  /// A chunk of codes less their zero point; zeros behind its last column.
  Value loadSteps(Value codes, int64_t bits, Value head, const Chunk &chunk, Value zero);

  KernelBuilder &k;
  IntegerDiagonalScanOp::Adaptor op;
  Value result, tokens;
  int64_t heads, lanes;
  SmallVector<Chunk> chunks;
};

} // namespace

IntegerDiagonalScanEmitter::IntegerDiagonalScanEmitter(KernelBuilder &k,
                                                       IntegerDiagonalScanOp::Adaptor op,
                                                       Value result)
    : k(k), op(op), result(result), tokens(k.dim(op.getCodes(), 0)) {
  auto type = cast<MemRefType>(op.getState().getType());
  heads = type.getDimSize(0);
  int64_t columns = type.getDimSize(1);
  // A complex number at least.
  lanes = std::max<int64_t>(2, k.lanesFor(columns));
  for (int64_t start = 0; start < columns; start += lanes)
    chunks.push_back({start, std::min(lanes, columns - start)});
}

Value IntegerDiagonalScanEmitter::alternate(int64_t count, int32_t even, int32_t odd) {
  SmallVector<int32_t> values;
  for (int64_t lane = 0; lane < count; ++lane)
    values.push_back(lane % 2 ? odd : even);
  auto type = VectorType::get({count}, k.getI32Type());
  return arith::ConstantOp::create(k, DenseElementsAttr::get(type, ArrayRef<int32_t>(values)));
}

Value IntegerDiagonalScanEmitter::arrange(Value vector, int64_t first, int64_t second) {
  SmallVector<int64_t> places;
  for (int64_t lane = 0; lane < lanes; lane += 2)
    places.append({lane + first, lane + second});
  return k.shuffle(vector, vector, places);
}

IntegerDiagonalScanEmitter::Shift IntegerDiagonalScanEmitter::getShift(Value bits) {
  bits = arith::AndIOp::create(k, bits, i32(31));
  Value two = arith::ShLIOp::create(k, i32(1), bits);
  return {arith::ShRUIOp::create(k, two, i32(1)), bits};
}

Value IntegerDiagonalScanEmitter::loadSteps(Value codes, int64_t bits, Value head,
                                            const Chunk &chunk, Value zero) {
  Value steps;
  if (bits == 8) {
    steps = widen(k.loadRaw(codes, {head, k.index(chunk.start)}, chunk.count));
  } else {
    Value bytes = k.loadRaw(codes, {head, k.index(chunk.start / 2)}, chunk.count / 2);
    SmallVector<int64_t> twice;
    for (int64_t lane = 0; lane < chunk.count; ++lane)
      twice.push_back(lane / 2);
    // Each nibble to the top of its lane, and down with its sign.
    steps = widen(k.shuffle(bytes, bytes, twice));
    steps = arith::ShLIOp::create(k, steps, alternate(chunk.count, 28, 24));
    steps = arith::ShRSIOp::create(k, steps, alternate(chunk.count, 28, 28));
  }
  return k.pad(sub(steps, k.splat(zero, chunk.count)), lanes);
}

IntegerDiagonalScanEmitter::System IntegerDiagonalScanEmitter::loadSystem(Value head) {
  System system;
  Value aZero = constantOf(head, Constant::AZero), bZero = constantOf(head, Constant::BZero),
        cZero = constantOf(head, Constant::CZero);
  Value multiplier = spread(constantOf(head, Constant::AMultiplier));
  Shift ofA = spread(getShift(i32(::ssmq::kIntegerScanAShift)));
  for (const Chunk &chunk : chunks) {
    Value a = mul(loadSteps(op.getA(), op.getABits(), head, chunk, aZero), multiplier);
    a = shiftRight(a, ofA);
    system.aRe.push_back(arrange(a, 0, 0));
    system.aIm.push_back(mul(arrange(a, 1, 1), alternate(lanes, -1, 1)));
    system.b.push_back(loadSteps(op.getB(), op.getBBits(), head, chunk, bZero));
    Value c = loadSteps(op.getC(), op.getCBits(), head, chunk, cZero);
    system.c.push_back(mul(c, alternate(lanes, 1, -1)));
  }
  system.ofInput = getShift(constantOf(head, Constant::InputShift));
  system.ofSum = spread(getShift(constantOf(head, Constant::SumShift)));
  system.ofState = spread(getShift(constantOf(head, Constant::StateShift)));
  system.inputMultiplier = constantOf(head, Constant::InputMultiplier);
  system.lowest = spread(constantOf(head, Constant::Lowest));
  system.highest = spread(constantOf(head, Constant::Highest));
  system.outputScale = k.loadScalar(op.getOutputScales(), {head});
  system.d = k.loadScalar(op.getD(), {head});
  return system;
}

/// A byte stands for the one of its steps that is in [lowest, lowest + 255].
Values IntegerDiagonalScanEmitter::loadState(Value head, const System &system) {
  Values state;
  for (const Chunk &chunk : chunks) {
    Value bytes = widen(k.loadRaw(op.getState(), {head, k.index(chunk.start)}, chunk.count));
    Value above = sub(k.pad(bytes, lanes), system.lowest);
    above = arith::AndIOp::create(k, above, alternate(lanes, 255, 255));
    state.push_back(add(above, system.lowest));
  }
  return state;
}

void IntegerDiagonalScanEmitter::storeState(Value head, ValueRange state) {
  auto bytes = VectorType::get({lanes}, k.getI8Type());
  for (auto [chunk, vector] : llvm::zip_equal(chunks, state)) {
    Value steps = arith::TruncIOp::create(k, bytes, vector);
    k.store(k.slice(steps, 0, chunk.count), op.getState(), {head, k.index(chunk.start)});
  }
}

void IntegerDiagonalScanEmitter::step(Value t, Value head, const System &system, Values &state) {
  Value byte = memref::LoadOp::create(k, op.getCodes(), ValueRange{t, head});
  Value code = arith::ExtSIOp::create(k, k.getI32Type(), byte);
  Value x = spread(shiftRight(mul(code, system.inputMultiplier), system.ofInput));
  Value sums = alternate(lanes, 0, 0);
  for (size_t i = 0; i < state.size(); ++i) {
    Value turned = mul(system.aIm[i], arrange(state[i], 1, 0));
    Value next = add(add(mul(system.aRe[i], state[i]), turned), mul(system.b[i], x));
    sums = add(sums, mul(system.c[i], shiftRight(next, system.ofSum)));
    Value rounded = shiftRight(next, system.ofState);
    rounded = arith::MinSIOp::create(k, system.highest, rounded);
    state[i] = arith::MaxSIOp::create(k, system.lowest, rounded);
  }
  Value sum = vector::ReductionOp::create(k, vector::CombiningKind::ADD, sums);
  Value ofStates = arith::MulFOp::create(k, k.widen(sum), system.outputScale);
  Value scale = k.loadScalar(op.getScales(), {t, k.index(0)});
  Value skipped =
      arith::MulFOp::create(k, arith::MulFOp::create(k, k.widen(code), scale), system.d);
  k.storeScalar(arith::AddFOp::create(k, ofStates, skipped), result, {t, head});
}

void IntegerDiagonalScanEmitter::scanHead(Value head) {
  System system = loadSystem(head);
  Values state = loadState(head, system);
  if (getConstantIntValue(tokens) == 1)
    step(k.index(0), head, system, state);
  else
    state = k.loop(k.index(0), tokens, 1, state, [&](Value t, ValueRange before) {
      Values next(before);
      step(t, head, system, next);
      return next;
    });
  storeState(head, state);
}

void IntegerDiagonalScanEmitter::run() {
  // Three instructions where the scan in floats has one multiply-add.
  auto work = static_cast<int64_t>(chunks.size()) * lanes * 4 * 3;
  k.parallel(k.index(heads), k.mul(tokens, work), [&](Value head) { scanHead(head); });
}

void mlir::ssm::emit(KernelBuilder &k, IntegerDiagonalScanOp::Adaptor op, ValueRange results) {
  IntegerDiagonalScanEmitter(k, op, results.front()).run();
}
